import VigilModel
package import VigilPorts

/// The contract of `Locks`.
package enum LocksContract {
    package typealias Clause = StoreClause<TimedSubject<any Locks>>

    package static var clauses: [Clause] {
        [
            Clause("locks/exclusive", "One has the lock, others get nil, until it is given back") { subject in
                let lease = try await subject.store.acquire("exclusive", for: .life)
                try require(lease != nil, "nobody got it")
                try require(try await subject.store.acquire("exclusive", for: .life), is: nil)
                if let lease { try await subject.store.release(lease) }
                try require(try await subject.store.acquire("exclusive", for: .life) != nil, "was not given back")
            },
            Clause("locks/fence", "Each lease of a resource has a greater fence than those before") { subject in
                var last: Int64 = .min
                for _ in 0..<5 {
                    guard let lease = try await subject.store.acquire("fence", for: .life) else {
                        throw ContractBroken("was not given back")
                    }
                    try require(lease.fence > last, "\(lease.fence) after \(last)")
                    last = lease.fence
                    try await subject.store.release(lease)
                }
            },
            Clause("locks/end", "A lease ends by itself; then it is neither renewed nor does it release another's") {
                subject in
                guard let old = try await subject.store.acquire("end", for: .life) else {
                    throw ContractBroken("nobody got it")
                }
                try await subject.advance(.beyond)
                try require(try await subject.store.renew(old, for: .life), is: false)
                let new = try await subject.store.acquire("end", for: .life)
                try require(new.map { $0.fence > old.fence } ?? false, "the lock did not end")
                try await subject.store.release(old)
                try require(try await subject.store.acquire("end", for: .life), is: nil)
            },
            Clause("locks/renew", "Renewing prolongs from now") { subject in
                guard let lease = try await subject.store.acquire("renew", for: .life) else {
                    throw ContractBroken("nobody got it")
                }
                for _ in 0..<3 {
                    try await subject.advance(Span.milliseconds(1500))
                    try require(try await subject.store.renew(lease, for: .life), is: true)
                }
                try require(try await subject.store.acquire("renew", for: .life), is: nil)
            },
        ]
    }
}
