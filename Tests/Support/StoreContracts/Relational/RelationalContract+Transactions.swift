import VigilModel
import VigilPorts

extension RelationalContract {
    struct Refusal: Error {}

    static var transactions: [Clause] {
        [
            Clause("relational/rolls-back", "Whatever the body throws rolls back and is thrown on") { subject in
                let room = RelationalRoom(subject)
                let id = room.newID()
                let tenant = room.tenant
                do {
                    _ = try await room.store.write(in: room.scope) { transaction in
                        try RelationalRoom.add(id, tenant, "a", 1, in: transaction)
                        throw Refusal()
                    }
                    throw ContractBroken("the error was swallowed")
                } catch is Refusal {}
                try require(try await room.count(of: id), is: nil)
            },
            Clause("relational/witness", "What a witness notes is committed with what it watches, or not at all") {
                subject in
                let room = RelationalRoom(subject)
                let (id, other) = (room.newID(), room.newID())
                let tenant = room.tenant
                let witness = CommitWitness { number, transaction in
                    try transaction.execute("UPDATE contract_items SET count = \(number) WHERE tenant_id = \(tenant)")
                }
                try await CommitWitness.$current.withValue(witness) {
                    try await room.store.write(in: room.scope) { transaction in
                        try RelationalRoom.add(id, tenant, "a", 0, in: transaction)
                    }
                    let taken = await RelationalRoom.code {
                        _ = try await room.store.write(in: room.scope) { transaction in
                            try RelationalRoom.add(other, tenant, "a", 0, in: transaction)
                        }
                    }
                    try require(taken, is: .duplicate)
                }
                try require(try await room.count(of: id), is: 1)
                try require(witness.lastNumber, is: 2)
            },
            Clause("relational/recent", "A recent read sees what this process has committed") { subject in
                let room = RelationalRoom(subject)
                for round in 0..<20 {
                    let id = try await room.add("\(round)", count: Int64(round))
                    let seen = try await room.store.read(.recent, in: room.scope) { transaction in
                        try transaction.rows("SELECT count FROM contract_items WHERE id = \(id)").first?
                            .get("count", as: Int64.self)
                    }
                    try require(seen, is: Int64(round))
                }
            },
            Clause("relational/read-only", "Writing in a read throws invalid") { subject in
                let room = RelationalRoom(subject)
                let id = try await room.add("a")
                let code = await RelationalRoom.code {
                    _ = try await room.store.read(in: room.scope) { transaction in
                        try transaction.execute("UPDATE contract_items SET count = \(5) WHERE id = \(id)")
                    }
                }
                try require(code, is: .invalid)
                try require(try await room.count(of: id), is: 0)
            },
            Clause(
                "relational/failed-statement", "A statement that throws ends the transaction, also when it is caught"
            ) {
                subject in
                let room = RelationalRoom(subject)
                try await room.add("taken")
                let (first, second) = (room.newID(), room.newID())
                let tenant = room.tenant
                let code = await RelationalRoom.code {
                    _ = try await room.store.write(in: room.scope) { transaction in
                        try RelationalRoom.add(first, tenant, "free", 1, in: transaction)
                        try? RelationalRoom.add(second, tenant, "taken", 1, in: transaction)
                    }
                }
                try require(code, is: .duplicate)
                try require(try await room.count(of: first), is: nil)
            },
            Clause("relational/errors", "Unique keys, references and rules are told apart, without values") { subject in
                let room = RelationalRoom(subject)
                let id = try await room.add("s3cret")
                let tenant = room.tenant
                try await expect(.duplicate, room) { try RelationalRoom.add(room.newID(), tenant, "s3cret", 1, in: $0) }
                try await expect(.constraint, room) { try RelationalRoom.add(room.newID(), tenant, "b", -1, in: $0) }
                try await expect(.invalid, room) { try $0.execute("SELEC \(1)") }
                try await expect(.reference, room) { transaction in
                    try transaction.execute(
                        "INSERT INTO contract_parts (id, tenant_id, item_id) VALUES (\(id), \(tenant), \(room.newID()))"
                    )
                }
                _ = try await room.store.write(in: room.scope) { transaction in
                    _ = try transaction.execute(
                        "INSERT INTO contract_parts (id, tenant_id, item_id) VALUES (\(room.newID()), \(tenant), \(id))"
                    )
                }
                try await expect(.reference, room) { try $0.execute("DELETE FROM contract_items WHERE id = \(id)") }
            },
        ]
    }

    private static func expect(
        _ code: StoreError.Code, _ room: RelationalRoom,
        _ body: @escaping @Sendable (any SQLTransaction) throws -> some Sendable
    ) async throws {
        do {
            _ = try await room.store.write(in: room.scope, body)
            throw ContractBroken("nothing was thrown where \(code) should be")
        } catch let error as StoreError {
            try require(error.code, is: code)
            try require(!error.description.contains("s3cret"), "an error holds a value: \(error)")
        }
    }

    static var isolation: [Clause] {
        [
            Clause("relational/lost-update", "Of concurrent changes to one row none is lost") { subject in
                let room = RelationalRoom(subject)
                let id = try await room.add("counter")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            _ = try await room.store.write(in: room.scope) { transaction in
                                let rows = try transaction.rows("SELECT count FROM contract_items WHERE id = \(id)")
                                let count = try rows[0].get("count", as: Int64.self)
                                try transaction.execute(
                                    "UPDATE contract_items SET count = \(count + 1) WHERE id = \(id)")
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                try require(try await room.count(of: id), is: 8)
            },
            Clause(
                "relational/write-skew",
                "Two transactions that each read what the other writes do not both commit blindly"
            ) {
                subject in
                let room = RelationalRoom(subject)
                let ids = [try await room.add("a", count: 1), try await room.add("b", count: 1)]
                // At least one must stay 1: each may go to 0 only while the other is 1.
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for id in ids {
                        group.addTask {
                            _ = try await room.store.write(in: room.scope) { transaction in
                                let sum = try transaction.rows("SELECT sum(count) AS sum FROM contract_items")[0]
                                guard try sum.get("sum", as: Int64.self) == 2 else { return }
                                try transaction.execute("UPDATE contract_items SET count = \(0) WHERE id = \(id)")
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let left = try await room.count(of: ids[0]).map { $0 }
                let right = try await room.count(of: ids[1]).map { $0 }
                try require((left ?? 0) + (right ?? 0), is: 1)
            },
            Clause("relational/sees-committed", "A read sees every transaction that was committed before it") {
                subject in
                let room = RelationalRoom(subject)
                for number in 0..<20 {
                    let id = try await room.add("item \(number)", count: Int64(number))
                    try require(try await room.count(of: id), is: Int64(number))
                }
            },
        ]
    }
}
