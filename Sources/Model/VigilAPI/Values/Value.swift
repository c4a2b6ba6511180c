/// What a device may report: a number, a truth, a text, or any JSON.
public enum Value: Sendable, Hashable, Codable {
    /// A whole number.
    case integer(Int64)
    /// A number.
    case number(Double)
    /// A truth; rules and queries read it as 0 or 1.
    case boolean(Bool)
    /// A text.
    case text(String)
    /// A list.
    case list([Value])
    /// An object.
    case object([String: Value])
    /// Nothing.
    case null

    /// Reads any JSON value.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .boolean(flag)
        } else if let number = try? container.decode(Int64.self) {
            self = .integer(number)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([Value].self) {
            self = .list(list)
        } else {
            self = .object(try container.decode([String: Value].self))
        }
    }

    /// Writes the value as JSON.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .integer(let number): try container.encode(number)
        case .number(let number): try container.encode(number)
        case .boolean(let flag): try container.encode(flag)
        case .text(let text): try container.encode(text)
        case .list(let list): try container.encode(list)
        case .object(let members): try container.encode(members)
        case .null: try container.encodeNil()
        }
    }

    /// The value as a number; truths are 0 and 1.
    public var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        case .boolean(let flag): flag ? 1 : 0
        case .text, .list, .object, .null: nil
        }
    }
}

extension Value: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral
{
    /// A whole number.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// A truth.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    /// A text.
    public init(stringLiteral value: String) { self = .text(value) }
    /// An object.
    public init(dictionaryLiteral elements: (String, Value)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
    /// A list.
    public init(arrayLiteral elements: Value...) { self = .list(elements) }
}
