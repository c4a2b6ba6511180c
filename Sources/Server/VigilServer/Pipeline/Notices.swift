import HTTPTypes
import Logging
import Synchronization
import VigilInterface
import VigilModel
import VigilPorts
import VigilServices

/// What an operator has to know of requests that were refused: a full disk, lock-outs, refused batches, limits.
///
/// One line for each kind and sender, or for each fault of a store, in ``interval``, which says how many more there were:
/// whoever floods the server does not flood its log.
final class Notices: Sendable {
    static let interval = Span.seconds(30)
    /// Kinds and senders that are told apart; further ones share a line for each kind.
    static let keysMax = 256

    private struct Told {
        var at: Timestamp
        var untold = 0
    }

    private let told = Mutex<[String: Told]>([:])

    /// Whether to tell of this now.
    ///
    /// - Returns: How many were not told since the last line; `nil` when this one is not told either.
    func admit(_ code: String, from sender: String, at now: Timestamp) -> Int? {
        told.withLock { told in
            var key = "\(code)/\(sender)"
            if told[key] == nil, told.count >= Self.keysMax {
                // What has been quiet makes room, unless it has something to say.
                told = told.filter { now - $0.value.at < Self.interval || $0.value.untold > 0 }
                if told.count >= Self.keysMax { key = code }
            }
            if var known = told[key], now - known.at < Self.interval, now >= known.at {
                known.untold += 1
                told[key] = known
                return nil
            }
            let untold = told[key]?.untold ?? 0
            told[key] = Told(at: now)
            return untold
        }
    }
}

extension RequestPipeline {
    /// Writes a line about a refusal that concerns whoever runs the server.
    func notice(_ exchange: Exchange, _ response: Response, _ error: (any Error)?) {
        guard let (code, level, sentence) = Self.worthTelling(exchange, response, error) else { return }
        // A store fails for everybody: who met it first is no part of it.
        let isOfStore = code.hasPrefix("store.")
        let sender =
            isOfStore ? "" : exchange.principalName == "-" ? exchange.address : exchange.principalName
        guard let untold = hooks.notices.admit(code, from: sender, at: clock.now()) else { return }
        var metadata: Logger.Metadata = [
            "code": "\(code)", "status": "\(response.status.code)", "path": "\(exchange.path)",
            "who": "\(exchange.principalName)", "address": "\(exchange.address)", "request": "\(exchange.id)",
        ]
        if untold > 0 { metadata["more"] = "\(untold)" }
        if isOfStore, let folder = hooks.dataFolder { metadata["folder"] = "\(folder)" }
        logger.log(level: level, sentence, metadata: metadata)
    }

    private static func worthTelling(_ exchange: Exchange, _ response: Response, _ error: (any Error)?) -> (
        code: String, level: Logger.Level, sentence: Logger.Message
    )? {
        let known = (error as? ServiceError) ?? (error as? StoreError).flatMap { ServiceError($0) }
        let code = known?.code ?? "ingest.refused"
        switch code {
        case "store.full": return (code, .error, "the disk is full: nothing is stored until there is room")
        case "store.read_only": return (code, .error, "a store takes no writes")
        case "store.unavailable", "store.uncertain": return (code, .warning, "a store is busy or away")
        case "auth.locked": return (code, .warning, "sign-ins are held up after too many failures")
        case "auth.busy", "auth.reset_rate": return (code, .warning, "too many sign-ins at once")
        case "server.busy", "server.rate": return (code, .warning, "requests past a limit are refused")
        default: break
        }
        guard exchange.endpoint?.tag == "readings", exchange.method == .post, response.status.code >= 400 else {
            return nil
        }
        return (code, .warning, response.status.code >= 500 ? "a batch could not be stored" : "readings were refused")
    }
}
