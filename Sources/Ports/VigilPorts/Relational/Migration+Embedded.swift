extension Migration {
    /// The migration whose files `NNNN_name.up.sql` and `NNNN_name.down.sql` are among `files`.
    ///
    /// - Parameters:
    ///   - file: The files' common name, `0004_identity`.
    ///   - folder: Where the files are within their target.
    ///   - text: Gives the text of an embedded file: `EmbeddedFiles.text`.
    ///   - data: A step in Swift after `up`.
    /// - Important: A file that is not there is a mistake of the build, and traps.
    package init(
        embedded file: String, folder: String, text: (String) -> String?,
        data: (@Sendable (any SQLTransaction) throws -> Void)? = nil
    ) {
        guard let up = text("\(folder)/\(file).up.sql"), let down = text("\(folder)/\(file).down.sql"),
            let number = Int(file.prefix(4)), file.dropFirst(4).first == "_"
        else { preconditionFailure("BUG: \(folder)/\(file) is not an embedded migration") }
        self.init(number: number, name: String(file.dropFirst(5)), up: up, down: down, data: data)
    }

    /// Migration 1: the outbox, which every relational store needs.
    package static let outbox = Migration(
        embedded: "0001_outbox", folder: "Relational/Migrations", text: EmbeddedFiles.text)
}
