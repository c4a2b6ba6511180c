import LocalEngine
import Logging
import SMTPAdapter
import VigilPorts
import VigilServices

/// How letters leave: by a mail server when one is configured, else into a folder.
struct Mail: Sendable {
    let delivery: any MailDelivery
    /// Delivers what waits, beside the server; `nil` where nothing waits.
    let work: (@Sendable () async throws -> Void)?

    /// - Throws: ``ConfigurationFault`` when the certificates that are to be trusted cannot be read.
    init(
        _ settings: Settings, folder: DataFolder, stores: Stores, key: MasterKey, clock: any TimeSource, logger: Logger
    ) throws {
        guard let smtp = settings.mail else {
            delivery = MailFolder(folder: folder.mail, clock: clock)
            work = nil
            return
        }
        let transport: SMTPDelivery
        do {
            transport = try SMTPDelivery(smtp, clock: clock)
        } catch {
            throw ConfigurationFault(
                key: "mail.smtp.trust", value: smtp.trustFile, allowed: "a PEM file with certificates",
                source: settings.configuration.entries["mail.smtp.trust"]?.source ?? "default")
        }
        let queue = MailQueue(
            jobs: stores.jobs, transport: transport, box: SecretBox(key.derive("mail")), clock: clock
        ) { sentence, job in
            logger.warning("a letter was not delivered", metadata: ["reason": "\(sentence)", "job": "\(job)"])
        }
        delivery = queue
        work = { try await queue.run() }
    }
}
