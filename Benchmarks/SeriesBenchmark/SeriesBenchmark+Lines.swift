import Foundation
import VigilModel

extension SeriesBenchmark {
    /// Writes the estate to standard output as line protocol with times in microseconds, as fast as a server takes it.
    static func lines(_ devices: Int, _ rows: Int) {
        var estate = Estate(devices: devices, seed: 1)
        let heads: [[UInt8]] = estate.sources.map { source in
            var head = "estate"
            for label in source.labels.all { head += ",\(label.name)=\(label.value)" }
            return Array((head + " ").utf8)
        }
        let names: [[UInt8]] = Estate.fields.map { name in Array("\(name)=".utf8) }
        let digits: [Int] = Estate.places.map { power in Int(log10(power).rounded()) }
        var text: [UInt8] = []
        for first in stride(from: 0, to: rows, by: 30) {
            for device in 0..<devices {
                let table = estate.table(device, first: first, rows: min(30, rows - first))
                for row in table.times.indices {
                    text += heads[device]
                    for (place, column) in table.columns.enumerated() {
                        if place > 0 { text.append(UInt8(ascii: ",")) }
                        text += names[place]
                        switch column.values {
                        case .floats(let values):
                            append(Int((values[row] * Estate.places[place]).rounded()), digits[place], to: &text)
                        case .integers(let values):
                            append(Int(values[row]), 0, to: &text)
                            text.append(UInt8(ascii: "i"))
                        default: break
                        }
                    }
                    text.append(UInt8(ascii: " "))
                    append(Int(table.times[row]), 0, to: &text)
                    text.append(UInt8(ascii: "\n"))
                }
                if text.count > 1 << 20 {
                    write(text)
                    text.removeAll(keepingCapacity: true)
                }
            }
        }
        write(text)
    }

    private static func write(_ text: [UInt8]) {
        do {
            try FileHandle.standardOutput.write(contentsOf: text)
        } catch {
            exit(1)
        }
    }

    /// A number that was multiplied by 10^places, in decimal.
    private static func append(_ number: Int, _ places: Int, to text: inout [UInt8]) {
        if number < 0 { text.append(UInt8(ascii: "-")) }
        let start = text.count
        var (rest, written) = (number.magnitude, 0)
        repeat {
            if written == places, places > 0 { text.append(UInt8(ascii: ".")) }
            text.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
            written += 1
        } while rest > 0 || written <= places
        text[start...].reverse()
    }
}
