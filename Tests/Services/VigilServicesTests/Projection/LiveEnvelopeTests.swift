import Testing
import VigilModel
import VigilServices

@Suite struct LiveEnvelopeTests {
    @Test(arguments: [nil, DeviceID(high: 1, low: 2)], [nil, "4711"])
    func `a message comes off the bus as it went on`(_ device: DeviceID?, _ id: String?) {
        let envelope = LiveEnvelope(
            type: "device.state", data: .object(["text": .string("tab\tline\nend")]), sequence: 7,
            timestamp: Timestamp(microseconds: 1), device: device, aggregate: id.map { _ in "device" },
            aggregateID: id)
        #expect(LiveEnvelope(busPayload: envelope.busPayload) == envelope)
    }

    @Test(arguments: ["", "\n", "7\tdevice.state\n{}", "x\ta\t\t\t\n{}", "7\ta\t\t\t"])
    func `what is no message is none`(_ text: String) {
        #expect(LiveEnvelope(busPayload: Array(text.utf8)) == nil)
    }
}
