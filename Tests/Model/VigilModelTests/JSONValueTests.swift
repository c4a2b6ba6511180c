import Foundation
import Testing
import VigilModel

/// Our own reader and writer say what Foundation's say, so that hashes of texts written before still fit.
@Suite struct JSONValueTests {
    static let values: [JSONValue] = [
        .null, .bool(true), .integer(.min), .integer(.max), .number(0.1), .number(-2.5), .number(1e22), .number(1e-7),
        .number(123_456_789.123456), .number(.leastNonzeroMagnitude), .number(.greatestFiniteMagnitude), .number(4),
        .number(-0.0),
        .string(""), .string("plain"), .string("Zür\"ich \\ / \u{1}\u{1F}\t\n\r\u{8}\u{C} \u{7F} \u{2028} 😀"),
        .array([]), .array([.integer(1), .array([.null]), .object([:])]),
        .object(["b": .integer(1), "a": .object(["z": .number(0.5), "A": .string("é"), "é": .null])]),
        .object(["a10": .null, "a9": .null, "B": .null, "_": .null, "": .null, "ä": .null, "Z": .null, "~": .null]),
    ]

    @Test(arguments: values) func `the canonical text is the sorted text of the encoder`(_ value: JSONValue) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        #expect(value.canonicalText == String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    @Test(arguments: [
        "0", "-0", "1.0", "1.50", "-1e3", "1E-3", "9223372036854775807", "9223372036854775808", "0.1",
        " [ 1 , \"a\" ] ", "{\"a\":{\"b\":[true,false,null]}}",
        "\"\\u00e9\\ud83d\\ude00\\n\\/\"", "{\"a\":1.0,\"b\":[2.0]}", "1e300",
    ])
    func `a text is read as the decoder reads it`(_ text: String) throws {
        #expect(try JSONValue(parsing: text) == JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)))
    }

    @Test(arguments: ["", "{", "[1,,2]", "tru", "01", "1 2", "{\"a\"}", "\"\u{1}\"", "1e999", "nul", "[1}", "'a'"])
    func `what is no JSON is refused`(_ text: String) {
        #expect(throws: DecodingError.self) { try JSONValue(parsing: text) }
    }

    @Test func `a number without a text is null`() {
        #expect(JSONValue.array([.number(.nan)]).canonicalText == "null")
    }

    @Test func `a text is the same after it was written and read`() throws {
        // The decoder takes −0 for 0 too.
        for value in Self.values where value != .number(0) {
            let again = try JSONValue(parsing: value.canonicalText)
            #expect(again.canonicalText == value.canonicalText)
        }
    }
}
