import CryptoExtras
import Dispatch
import Foundation
import VigilModel

/// Hashes passwords with scrypt, away from the threads that serve requests, a few at a time.
///
/// Hashing is slow by design, so it is where a flood would hurt: a caller first takes a place, and when all places are
/// taken, or its turn would come too late, it is refused before anything is done for it.
actor PasswordHasher {
    private let cost: IdentitySettings.PasswordCost
    private let atOnce: Int
    private let placesMax: Int
    private let placesPerAddress: Int
    private let waitMax: Double
    /// How many seconds a hash takes on this machine at this load; `nil` before the first.
    private var hashSeconds: Double?
    private var placesTaken = 0
    /// The places that each address has taken.
    private var placesOf: [String: Int] = [:]
    private var running = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private let queue = DispatchQueue(label: "vigil.passwords", qos: .userInitiated, attributes: .concurrent)

    init(settings: IdentitySettings) {
        cost = settings.passwordCost
        atOnce = max(1, settings.hashesAtOnce)
        placesMax = max(1, settings.hashesAtOnce) + settings.hashesWaiting
        placesPerAddress = max(1, settings.hashesPerAddress)
        waitMax = settings.hashWaitMax.seconds
    }

    /// The right to hash.
    struct Place: Sendable {
        fileprivate let hasher: PasswordHasher

        /// A hash of a new secret under a new salt.
        func hash(_ secret: [UInt8]) async throws -> String {
            let cost = hasher.cost
            var generator = SystemRandomNumberGenerator()
            let salt = (0..<2).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }
            return SecretHash(
                rounds: cost.rounds, blockSize: 8, parallelism: cost.parallelism, salt: salt,
                digest: try await hasher.digest(
                    of: secret, salt: salt, rounds: cost.rounds, blockSize: 8, parallelism: cost.parallelism)
            ).text
        }

        /// Whether `secret` is the one behind `stored`.
        ///
        /// Takes as long when there is nothing to compare with, so that the time tells nobody which accounts there are.
        func verify(_ secret: [UInt8], against stored: String?) async throws -> Bool {
            let hash: SecretHash
            if let known = stored.flatMap(SecretHash.init(text:)) {
                hash = known
            } else {
                let cost = hasher.cost
                hash = SecretHash(
                    rounds: cost.rounds, blockSize: 8, parallelism: cost.parallelism,
                    salt: Array(repeating: 0, count: 16), digest: [])
            }
            let digest = try await hasher.digest(
                of: secret, salt: hash.salt, rounds: hash.rounds, blockSize: hash.blockSize,
                parallelism: hash.parallelism)
            return equalInConstantTime(digest, hash.digest)
        }
    }

    /// Runs `body` with a place.
    ///
    /// - Parameter address: Who asks without having shown a credential: one address takes a few places only, so that it
    ///   cannot keep everybody else waiting.
    /// - Throws: `tooMany`, code `auth.busy`, when all places are taken, or so many that the turn would come too late.
    func withPlace<Result: Sendable>(
        for address: String? = nil, _ body: @Sendable (Place) async throws -> Result
    ) async throws -> Result {
        let wait = Double(max(0, placesTaken - atOnce + 1)) / Double(atOnce) * (hashSeconds ?? 0.1)
        let own = address.map { placesOf[$0, default: 0] } ?? 0
        let patience = address != nil && own == 0 ? waitMax * 4 : waitMax
        guard placesTaken < placesMax, own < placesPerAddress, wait <= patience else {
            throw ServiceError(
                .tooMany, "auth.busy", "Too many people sign in at this moment.",
                retryAfter: Span(seconds: max(2, min(60, wait))))
        }
        placesTaken += 1
        if let address { placesOf[address] = own + 1 }
        defer {
            placesTaken -= 1
            if let address, let taken = placesOf[address] { placesOf[address] = taken > 1 ? taken - 1 : nil }
        }
        return try await body(Place(hasher: self))
    }

    private func digest(of secret: [UInt8], salt: [UInt8], rounds: Int, blockSize: Int, parallelism: Int) async throws
        -> [UInt8]
    {
        await begin()
        let begun = ContinuousClock.now
        defer {
            let seconds = begun.duration(to: .now) / .seconds(1)
            hashSeconds = 0.5 * seconds + 0.5 * (hashSeconds ?? seconds)
            end()
        }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(
                    with: Result {
                        let key = try KDF.Scrypt.deriveKey(
                            from: secret, salt: salt, outputByteCount: 32, rounds: rounds, blockSize: blockSize,
                            parallelism: parallelism)
                        return key.withUnsafeBytes { Array($0) }
                    })
            }
        }
    }

    private func begin() async {
        if running < atOnce {
            running += 1
        } else {
            // Whoever ends hands its turn over, so `running` stays as it is.
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func end() {
        if waiting.isEmpty { running -= 1 } else { waiting.removeFirst().resume() }
    }
}

/// A hashed secret as the database keeps it: `scrypt$rounds$blockSize$parallelism$salt$digest`.
struct SecretHash: Hashable, Sendable {
    var rounds: Int
    var blockSize: Int
    var parallelism: Int
    var salt: [UInt8]
    var digest: [UInt8]

    init(rounds: Int, blockSize: Int, parallelism: Int, salt: [UInt8], digest: [UInt8]) {
        self.rounds = rounds
        self.blockSize = blockSize
        self.parallelism = parallelism
        self.salt = salt
        self.digest = digest
    }

    /// `nil` for anything else, and for costs that would take the machine down.
    init?(text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[0] == "scrypt", let rounds = Int(parts[1]), let blockSize = Int(parts[2]),
            let parallelism = Int(parts[3]), let salt = Base64URL.decode(parts[4]),
            let digest = Base64URL.decode(parts[5]), (2...(1 << 20)).contains(rounds), (1...32).contains(blockSize),
            (1...16).contains(parallelism), digest.count == 32
        else { return nil }
        self.init(rounds: rounds, blockSize: blockSize, parallelism: parallelism, salt: salt, digest: digest)
    }

    var text: String {
        "scrypt$\(rounds)$\(blockSize)$\(parallelism)$\(Base64URL.encode(salt))$\(Base64URL.encode(digest))"
    }
}
