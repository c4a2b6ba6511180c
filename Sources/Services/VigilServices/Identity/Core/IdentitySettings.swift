package import VigilModel

/// What an installation can change about signing in.
package struct IdentitySettings: Sendable, Hashable {
    /// The cost of hashing a password.
    package struct PasswordCost: Sendable, Hashable {
        /// scrypt's N, a power of two; memory is 1 KiB × `rounds` with a block size of 8.
        package var rounds: Int
        package var parallelism: Int

        /// What OWASP's password storage sheet gives for 32 MiB: N = 2¹⁵, r = 8, p = 3.
        package static let standard = PasswordCost(rounds: 1 << 15, parallelism: 3)
        /// For tests only: a hash takes well under a millisecond.
        package static let quickForTests = PasswordCost(rounds: 1 << 4, parallelism: 1)

        package init(rounds: Int, parallelism: Int) {
            self.rounds = rounds
            self.parallelism = parallelism
        }
    }

    package var passwordCost = PasswordCost.standard
    /// Hashes that run at the same time, each on a thread of its own.
    package var hashesAtOnce = 1
    /// Hashes that may wait; a sign-in beyond is refused with 429 before any work.
    package var hashesWaiting = 32
    /// Hashes that one address may have running and waiting.
    package var hashesPerAddress = 3
    /// How long a sign-in may wait for its hash; where it would take longer, it is refused with 429 before any work.
    ///
    /// The first of an address may wait four times as long: those that were there before it are perhaps an attack.
    package var hashWaitMax = Span.seconds(2)
    package var minimumPasswordLength = 8
    package var maximumPasswordLength = 1024
    package var pinDigits = 4
    /// How long an access token lasts.
    package var accessLife = Span.minutes(30)
    /// How long a refresh token lasts, and the longest that a session lives.
    package var sessionLife = Span.days(30)
    /// How long a browser's session lives without being used.
    package var browserIdle = Span.hours(24)
    package var resetLife = Span.hours(1)
    package var invitationLife = Span.days(7)
    /// How long what a credential may do is remembered; a change ends it at once in the process that makes it.
    package var principalLife = Span.seconds(5)
    package var principalsRemembered = 10_000
    package var sessionsPerUser = 50
    package var tokensPerUser = 100
    package var assignmentsPerMember = 1_000
    /// Where people reach this server, without a slash at the end; `nil`: links are given as paths.
    package var publicAddress: String?
    package var lockout = LockoutSettings()

    package init() {}
}

/// When failed sign-ins are slowed down.
package struct LockoutSettings: Sendable, Hashable {
    /// Failures of one account from one address that are free.
    package var freePerAccountAndAddress = 5
    /// Failures of one address, whatever the account, that are free.
    package var freePerAddress = 50
    /// Failures of one account, whatever the address, that are free.
    ///
    /// Beyond, each address has one attempt of its own, so that nobody can lock a person out of another address.
    package var freePerAccount = 30
    /// The delay after the first failure that is not free; it doubles with each further one.
    package var firstDelay = Span.seconds(30)
    package var longestDelay = Span.hours(1)
    /// The longest delay for a whole address or account.
    package var longestSharedDelay = Span.minutes(15)
    /// How long until one failure of a whole address or account is forgotten.
    package var sharedForgetting = Span.minutes(10)
    /// After this long without a failure, counting starts anew.
    package var memory = Span.hours(24)

    package init() {}
}
