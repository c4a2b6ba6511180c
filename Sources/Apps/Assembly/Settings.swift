/// What a server is told at its start.
package struct Settings: Sendable, Hashable {
    /// The data folder.
    package var data: String
    package var host: String
    package var port: Int

    package init(data: String, host: String = "127.0.0.1", port: Int = 8080) {
        self.data = data
        self.host = host
        self.port = port
    }
}
