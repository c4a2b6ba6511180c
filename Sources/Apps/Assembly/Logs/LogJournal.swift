import Foundation
package import Logging
import VigilModel
import VigilPorts
import VigilServices

/// Where the program's log goes: to standard error at once, and to the searchable log a little later.
package struct LogJournal: Sendable {
    /// How a line looks on standard error.
    package enum Format: String, Sendable {
        case text
        case json
    }

    let lines: AsyncStream<LogService.Line>
    private let continuation: AsyncStream<LogService.Line>.Continuation
    private let level: Logger.Level
    private let format: Format
    private let clock: any TimeSource

    init(level: Logger.Level, format: Format, clock: any TimeSource) {
        self.level = level
        self.format = format
        self.clock = clock
        (lines, continuation) = AsyncStream.makeStream(
            of: LogService.Line.self, bufferingPolicy: .bufferingNewest(LogService.bufferedLines))
    }

    /// The journal that the configuration asks for.
    package init(_ configuration: LoadedConfiguration, quiet: Bool = false) {
        let level = Logger.Level(rawValue: configuration.required("log.level")) ?? .info
        self.init(
            level: quiet ? max(level, .warning) : level,
            format: Format(rawValue: configuration.required("log.format")) ?? .text, clock: SystemClock())
    }

    /// A logger that writes here.
    package func logger(_ label: String) -> Logger {
        Logger(label: label) { label in
            Handler(label: label, logLevel: level, format: format, clock: clock, continuation: continuation)
        }
    }

    private struct Handler: LogHandler {
        let label: String
        var logLevel: Logger.Level
        let format: Format
        let clock: any TimeSource
        let continuation: AsyncStream<LogService.Line>.Continuation
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let now = clock.now()
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            let line = LogService.Line(
                id: EntryID(at: now), time: now, level: event.level.rawValue, label: label,
                message: "\(event.message)", metadata: all.mapValues { "\($0)" })
            FileHandle.standardError.write(Data((format == .json ? Self.json(line) : Self.text(line)).utf8))
            if event.level >= .info { continuation.yield(line) }
        }

        private static func text(_ line: LogService.Line) -> String {
            let pairs = line.metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            return "\(line.time) \(line.level) \(line.message)\(pairs)\n"
        }

        private static func json(_ line: LogService.Line) -> String {
            var members = line.metadata.mapValues { JSONValue.string($0) }
            members["time"] = .string(line.time.description)
            members["level"] = .string(line.level)
            members["label"] = .string(line.label)
            members["message"] = .string(line.message)
            return JSONValue.object(members).canonicalText + "\n"
        }
    }
}
