import Synchronization
import Testing
import VigilModel
import VigilPorts
import VigilServices

@Suite struct SlowListenerTests {
    private final class Flag: Sendable {
        let isSet = Atomic<Bool>(false)
        let heard = Atomic<Int>(0)
    }

    @Test func `a listener that takes nothing is let go, and costs the others nothing`() async throws {
        try await withWorld { world in
            let hub = LiveHub(stores: world.stores, clock: world.clock)
            let running = Task { try await hub.run() }
            let flag = Flag()
            let slow = try await hub.open(world.principal) { flag.isSet.store(true, ordering: .relaxed) }
            let quick = try await hub.open(world.principal)
            for session in [slow, quick] { try await hub.subscribe(session.id, to: ["readings.*"], lastSequence: nil) }
            let listening = Task {
                for await _ in quick.deliveries { flag.heard.add(1, ordering: .relaxed) }
            }
            // The first message is what `subscribe` answers; readings follow as soon as the hub hears the bus.
            let payload = Array(#"{"device":"01890a5d-ac96-774b-bcce-b302099a8057","readings":[]}"#.utf8)
            var sent = 0
            while !flag.isSet.load(ordering: .relaxed), sent < 1_000_000 {
                try await world.stores.bus.publish(
                    BusMessage(topic: "readings.\(world.tenant)", payload: payload))
                sent += 1
                let before = flag.heard.load(ordering: .relaxed)
                for _ in 0..<100 where flag.heard.load(ordering: .relaxed) == before { await Task.yield() }
            }
            let isLetGo = flag.isSet.load(ordering: .relaxed)
            #expect(isLetGo)
            #expect(await hub.count == 1)
            // The other has been given all of it; when its task runs is up to the machine.
            var heard = flag.heard.load(ordering: .relaxed)
            let end = ContinuousClock.now + .seconds(60)
            while heard < LiveHub.bufferedMessages - 1, ContinuousClock.now < end {
                await Task.yield()
                heard = flag.heard.load(ordering: .relaxed)
            }
            #expect(heard >= LiveHub.bufferedMessages - 1)
            var kept = 0
            for await _ in slow.deliveries { kept += 1 }
            #expect(kept == LiveHub.bufferedMessages)
            await hub.stop()
            _ = await listening.value
            running.cancel()
        }
    }
}
