import Foundation
package import VigilModel
package import VigilPorts

/// Brings letters to a mail server through the job queue: a server that is away delays them, and loses none.
///
/// A letter is tried for about an hour, as long as a link that sets a password holds. Letters hold secrets, so they are
/// sealed in the queue.
package struct MailQueue: MailDelivery {
    package static let kind = "mail"
    /// The queue tries again after half a minute at the latest.
    static let attemptsMax = 120
    private static let lease = Span.minutes(3)

    private let jobs: any JobQueue
    private let transport: any MailDelivery
    private let box: SecretBox
    private let clock: any TimeSource
    private let tell: @Sendable (_ sentence: String, _ job: JobID) -> Void

    /// - Parameter tell: Hears of letters that could not be delivered.
    package init(
        jobs: any JobQueue, transport: any MailDelivery, box: SecretBox, clock: any TimeSource,
        tell: @escaping @Sendable (_ sentence: String, _ job: JobID) -> Void
    ) {
        self.jobs = jobs
        self.transport = transport
        self.box = box
        self.clock = clock
        self.tell = tell
    }

    private struct Letter: Codable {
        var to: String
        var subject: String
        var text: String
    }

    package func send(_ message: MailMessage) async throws(StoreError) {
        let sealed: String
        do {
            let letter = Letter(to: message.to, subject: message.subject, text: message.text)
            let text = String(decoding: try JSONEncoder().encode(letter), as: UTF8.self)
            sealed = try box.sealText(text, for: Self.kind)
        } catch {
            throw StoreError(.unavailable, "The letter could not be encrypted")
        }
        _ = try await jobs.enqueue(
            JobDraft(
                tenant: nil, kind: Self.kind, payload: .object(["letter": .string(sealed)]), priority: 10,
                maximumAttempts: Self.attemptsMax))
    }

    /// Delivers letters as they come, until the task is cancelled.
    package func run() async throws {
        while true {
            do {
                while try await deliver() {}
            } catch let error as StoreError where error.mayBeTriedAgain {
                // The next turn tries again.
            }
            try await clock.wait(for: .seconds(1))
        }
    }

    /// Tries some letters once.
    ///
    /// - Returns: Whether more may be waiting.
    @discardableResult
    package func deliver() async throws -> Bool {
        let taken = try await jobs.take([Self.kind], limit: 2, lease: Self.lease)
        for job in taken {
            do {
                let sealed = job.draft.payload["letter"]?.text ?? ""
                let letter = try JSONDecoder().decode(
                    Letter.self, from: Data(try box.openText(sealed, for: Self.kind).utf8))
                try await transport.send(MailMessage(to: letter.to, subject: letter.subject, text: letter.text))
                try await jobs.complete(job, result: .object(["delivered": .bool(true)]))
            } catch let error as StoreError where error.code != .invalid {
                if job.attempts == 1 || job.attempts == job.draft.maximumAttempts { tell("\(error)", job.id) }
                try await jobs.fail(job, reason: "\(error)")
            } catch {
                // Refused for good, or sealed by another key: trying again changes nothing.
                let reason =
                    (error as? StoreError)?.description ?? "The letter cannot be opened: it was sealed with another key"
                tell(reason, job.id)
                try await jobs.complete(job, result: .object(["refused": .string(reason)]))
            }
        }
        return taken.count == 2
    }
}
