/// Cuts a query into words.
struct Lexer {
    private let bytes: [UInt8]
    private var position = 0
    /// Inside brackets a colon separates the range from the step; elsewhere it belongs to metric names.
    private var bracketDepth = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// All words, the end included.
    static func tokens(of bytes: [UInt8]) throws(Fault) -> [Token] {
        var lexer = Lexer(bytes)
        var tokens: [Token] = []
        while true {
            let token = try lexer.next()
            tokens.append(token)
            if token.kind == .end { return tokens }
        }
    }

    private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func peek(_ distance: Int) -> UInt8? {
        position + distance < bytes.count ? bytes[position + distance] : nil
    }

    private mutating func next() throws(Fault) -> Token {
        skipBlanks()
        let start = position
        guard let byte else { return Token(kind: .end, position: start..<start) }
        let kind: Token.Kind
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): kind = .string(try string(byte))
        case _ where Self.isDigit(byte): kind = try number()
        case UInt8(ascii: ".") where peek(1).map(Self.isDigit) ?? false: kind = try number()
        case _ where Self.isWordStart(byte) || (byte == UInt8(ascii: ":") && bracketDepth == 0): kind = .word(word())
        default: kind = .symbol(try symbol())
        }
        return Token(kind: kind, position: start..<position)
    }

    private mutating func skipBlanks() {
        while let byte {
            if byte == UInt8(ascii: "#") {
                while let byte = self.byte, byte != UInt8(ascii: "\n") { position += 1 }
            } else if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
                || byte == UInt8(ascii: "\r")
            {
                position += 1
            } else {
                return
            }
        }
    }

    private mutating func symbol() throws(Fault) -> Token.Symbol {
        let start = position
        if let second = peek(1) {
            let pair = String(decoding: [bytes[start], second], as: UTF8.self)
            if let symbol = Token.Symbol(rawValue: pair) {
                position += 2
                return symbol
            }
        }
        let single = String(decoding: [bytes[start]], as: UTF8.self)
        guard let symbol = Token.Symbol(rawValue: single) else {
            throw Fault("unexpected character: '\(single)'", at: start..<start + 1)
        }
        position += 1
        if symbol == .leftBracket { bracketDepth += 1 }
        if symbol == .rightBracket { bracketDepth = max(0, bracketDepth - 1) }
        return symbol
    }

    private mutating func word() -> String {
        let start = position
        while let byte, Self.isWordPart(byte) || (byte == UInt8(ascii: ":") && bracketDepth == 0) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    static func isWordStart(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
    }

    static func isWordPart(_ byte: UInt8) -> Bool { isWordStart(byte) || isDigit(byte) }
}

// MARK: - Numbers and durations

extension Lexer {
    private mutating func number() throws(Fault) -> Token.Kind {
        let start = position
        if let seconds = duration() { return .duration(seconds) }
        position = start
        if byte == UInt8(ascii: "0"), peek(1).map({ $0 | 0x20 }) == UInt8(ascii: "x") {
            position += 2
            let digits = position
            while let byte, Self.isWordPart(byte) { position += 1 }
            let text = String(decoding: bytes[digits..<position].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
            guard let value = UInt64(text, radix: 16) else {
                throw Fault("bad number or duration syntax", at: start..<position)
            }
            return .number(Double(value))
        }
        while let byte {
            let followsExponent = position > start && bytes[position - 1] | 0x20 == UInt8(ascii: "e")
            let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            guard Self.isWordPart(byte) || byte == UInt8(ascii: ".") || (isSign && followsExponent) else { break }
            position += 1
        }
        let text = String(decoding: bytes[start..<position].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
        guard !text.hasSuffix("e"), let value = Double(text.hasSuffix(".") ? text + "0" : text) else {
            throw Fault("bad number or duration syntax: \"\(text)\"", at: start..<position)
        }
        return .number(value)
    }

    /// Reads `1h30m` and the like: whole numbers with units, the larger unit first.
    private mutating func duration() -> Double? {
        var milliseconds = 0.0
        var unitIndex = -1
        repeat {
            var value = 0.0
            let digits = position
            while let byte, Self.isDigit(byte) {
                value = value * 10 + Double(byte - UInt8(ascii: "0"))
                position += 1
            }
            guard position > digits else { return nil }
            let letters = position
            while let byte, Self.isWordStart(byte), byte != UInt8(ascii: "_") { position += 1 }
            let unit = String(decoding: bytes[letters..<position], as: UTF8.self)
            guard let index = DurationExpression.units.firstIndex(where: { $0.0 == unit }), index > unitIndex else {
                return nil
            }
            unitIndex = index
            milliseconds += value * Double(DurationExpression.units[index].1)
        } while byte.map(Self.isDigit) ?? false
        if let byte, Self.isWordPart(byte) { return nil }
        return milliseconds / 1000
    }
}

// MARK: - Strings

extension Lexer {
    private mutating func string(_ quote: UInt8) throws(Fault) -> String {
        let start = position
        position += 1
        var text: [UInt8] = []
        while true {
            guard let byte, byte != UInt8(ascii: "\n") || quote == UInt8(ascii: "`") else {
                throw Fault("unterminated quoted string", at: start..<position)
            }
            position += 1
            if byte == quote { break }
            if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "`") {
                try escape(quote, into: &text)
            } else {
                text.append(byte)
            }
        }
        guard let string = String(validating: text, as: UTF8.self) else {
            // Kept printable: it can only be looked at, never match.
            return text.map { $0 < 0x80 ? String(UnicodeScalar($0)) : "\\x" + String($0, radix: 16) }.joined()
        }
        return string
    }

    private mutating func escape(_ quote: UInt8, into text: inout [UInt8]) throws(Fault) {
        let start = position - 1
        guard let byte else { throw Fault("escape sequence not terminated", at: start..<position) }
        position += 1
        switch byte {
        case UInt8(ascii: "a"): text.append(0x07)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "v"): text.append(0x0B)
        case UInt8(ascii: "\\"), quote: text.append(byte)
        case UInt8(ascii: "x"): text.append(UInt8(try digits(2, radix: 16, from: start)))
        case UInt8(ascii: "u"): try append(try digits(4, radix: 16, from: start), from: start, to: &text)
        case UInt8(ascii: "U"): try append(try digits(8, radix: 16, from: start), from: start, to: &text)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            position -= 1
            let value = try digits(3, radix: 8, from: start)
            guard value < 256 else { throw Fault("octal escape value > 255", at: start..<position) }
            text.append(UInt8(value))
        default: throw Fault("unknown escape sequence", at: start..<position)
        }
    }

    private mutating func digits(_ count: Int, radix: Int, from start: Int) throws(Fault) -> UInt32 {
        let end = min(position + count, bytes.count)
        let text = String(decoding: bytes[position..<end], as: UTF8.self)
        guard text.utf8.count == count, text.utf8.allSatisfy(Self.isWordPart), let value = UInt32(text, radix: radix)
        else { throw Fault("illegal character in escape sequence", at: start..<end) }
        position = end
        return value
    }

    private func append(_ value: UInt32, from start: Int, to text: inout [UInt8]) throws(Fault) {
        guard let scalar = Unicode.Scalar(value) else {
            throw Fault("escape sequence is an invalid Unicode code point", at: start..<position)
        }
        text.append(contentsOf: String(Character(scalar)).utf8)
    }
}
