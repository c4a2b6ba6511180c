import Synchronization
import Testing
import VigilModel
import VigilPorts
import VigilServices

/// A mail server that is away for a while, or refuses.
private final class Office: MailDelivery {
    struct State {
        var faults: [StoreError] = []
        var letters: [MailMessage] = []
    }

    let state: Mutex<State>

    init(faults: [StoreError] = []) { state = Mutex(State(faults: faults)) }

    func send(_ message: MailMessage) async throws(StoreError) {
        let fault: StoreError? = state.withLock { state in
            guard state.faults.isEmpty else { return state.faults.removeFirst() }
            state.letters.append(message)
            return nil
        }
        if let fault { throw fault }
    }

    var letters: [MailMessage] { state.withLock { $0.letters } }
}

/// Letters wait in the queue until a mail server has them.
@Suite struct MailQueueTests {
    private let letter = MailMessage(to: "bob@example.org", subject: "Hello", text: "the secret link")
    private let away = StoreError(.unavailable, "away")

    private func queue(_ world: World, _ office: Office, _ key: MasterKey) -> MailQueue {
        MailQueue(
            jobs: world.stores.jobs, transport: office, box: SecretBox(key.derive("mail")), clock: world.clock
        ) { _, _ in }
    }

    @Test func `a letter is delivered once, when the server is back, also after a restart`() async throws {
        try await withWorld { world in
            let key = MasterKey.random()
            let office = Office(faults: [away, away])
            try await queue(world, office, key).send(letter)
            for _ in 0..<2 {
                try await queue(world, office, key).deliver()
                #expect(office.letters.isEmpty)
                world.clock.move(.minutes(1))
            }
            // Another queue over the same store: a restart.
            let again = queue(world, office, key)
            try await again.deliver()
            world.clock.move(.minutes(10))
            try await again.deliver()
            #expect(office.letters == [letter])
        }
    }

    @Test func `what lies in the queue does not show the letter`() async throws {
        try await withWorld { world in
            try await queue(world, Office(), .random()).send(letter)
            let rows = try await world.stores.relational.read(in: SystemScope.allTenants("test")) { transaction in
                try transaction.rows("SELECT payload FROM jobs").map { try $0.get("payload", as: JSONValue.self) }
            }
            #expect(rows.count == 1)
            #expect(!rows[0].canonicalText.contains("secret") && !rows[0].canonicalText.contains("bob"))
        }
    }

    @Test func `what is refused for good, or cannot be opened, is told and not tried again`() async throws {
        try await withWorld { world in
            let key = MasterKey.random()
            let office = Office(faults: [StoreError(.invalid, "refused")])
            let first = Recorder()
            let queue = MailQueue(
                jobs: world.stores.jobs, transport: office, box: SecretBox(key.derive("mail")), clock: world.clock
            ) { sentence, _ in first.add(sentence) }
            try await queue.send(letter)
            try await queue.deliver()
            world.clock.move(.hours(1))
            try await queue.deliver()
            #expect(first.sentences == ["refused"])
            #expect(office.letters.isEmpty)

            try await queue.send(letter)
            let other = MailQueue(
                jobs: world.stores.jobs, transport: office, box: SecretBox(MasterKey.random().derive("mail")),
                clock: world.clock
            ) { sentence, _ in first.add(sentence) }
            try await other.deliver()
            #expect(first.sentences.count == 2)
            #expect(office.letters.isEmpty)
        }
    }
}

private final class Recorder: Sendable {
    private let kept = Mutex<[String]>([])

    func add(_ sentence: String) { kept.withLock { $0.append(sentence) } }
    var sentences: [String] { kept.withLock { $0 } }
}
