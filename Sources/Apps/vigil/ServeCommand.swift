import ArgumentParser
import Assembly
import Logging

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Serve a data folder over HTTP.")

    @Option(help: "The data folder; it is made when it is not there.")
    var data: String
    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"
    @Option(help: "The port to listen on.")
    var port = 8080

    func run() async throws {
        try await Application(
            settings: Settings(data: data, host: host, port: port), logger: Logger(label: "vigil")
        ).run()
    }
}
