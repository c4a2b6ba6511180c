package import VigilModel

/// Decodes line protocol from the bytes of one request, as they come, to rows.
///
/// ```swift
/// var decoder = LineDecoder(precision: .nanoseconds, arrival: clock.now(), cache: cache) { measurement, labels in
///     .keep(SeriesSource(device: try device(of: labels), measurement: measurement, labels: labels))
/// }
/// for buffer in body { buffer.withUnsafeBytes { decoder.feed($0) } }
/// let decoded = decoder.finish()
/// ```
///
/// A line may be split over chunks anywhere. Bad lines are refused one by one, with line, column and reason; the good ones
/// are kept. The bytes of a key (measurement and tags, as written) are hashed and looked up, first among the keys of this
/// request, then in the cache; only a key that neither knows is parsed and handed to the resolver.
package struct LineDecoder {
    /// Finds the source of a new key, or throws the reason why its lines are refused.
    ///
    /// Asked once for each new key of a request, after a line of it has proved good, so that bad lines discover no devices.
    package typealias Resolver = (_ measurement: String, _ labels: Labels) throws(LineReason) -> LineResolution

    let limits: LineLimits
    let precision: LinePrecision
    let arrival: Timestamp
    let accepted: ClosedRange<Int64>
    var keys: KeyTable
    var shapes = FieldShapes()
    var log = PointLog()
    var truncatedTimeCount = 0

    private var rowLines = RowLines()
    private var lineNumber = 0
    private var goodLineCount = 0
    private var refusedLineCount = 0
    private var problems: [LineProblem] = []
    /// The beginning of a line whose end has not come yet.
    private var carry: [UInt8] = []
    /// Whether the rest of a line that was too long is being passed over.
    private var isSkipping = false

    /// - Parameters:
    ///   - precision: The unit of the timestamps.
    ///   - arrival: When the request reached us: the time of lines without a timestamp.
    ///   - accepted: The times that are taken; a line outside is refused.
    ///   - limits: The bounds of lines and keys.
    ///   - cache: Remembers sources between requests.
    ///   - resolver: Finds the source of a new key.
    package init(
        precision: LinePrecision = .nanoseconds,
        arrival: Timestamp,
        accepted: ClosedRange<Timestamp> = .distantPast ... .distantFuture,
        limits: LineLimits = LineLimits(),
        cache: LineSourceCache,
        resolver: @escaping Resolver
    ) {
        self.precision = precision
        self.arrival = arrival
        self.accepted = accepted.lowerBound.microseconds...accepted.upperBound.microseconds
        self.limits = limits
        keys = KeyTable(cache: cache, limits: limits, resolver: resolver)
    }

    /// Takes the next bytes of the request.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer) {
        let chunk = bytes.bindMemory(to: UInt8.self)
        guard let base = chunk.baseAddress, !chunk.isEmpty else { return }
        log.reserve(bytes: chunk.count)
        var position = 0
        if isSkipping {
            guard let newline = ByteCursor.find(Byte.newline, in: base, from: 0, to: chunk.count) else { return }
            isSkipping = false
            position = newline + 1
        }
        if !carry.isEmpty { position = finishCarriedLine(base, count: chunk.count) }
        position = decodeLines(base, from: position, to: chunk.count, isLast: false)
        keepRest(base, from: position, to: chunk.count)
    }

    /// Ends the request: decodes what came after the last line feed and makes the rows.
    package consuming func finish() -> DecodedLines {
        var rest = carry
        carry = []
        rest.append(Byte.newline)
        rest.withUnsafeBufferPointer { bytes in
            if let base = bytes.baseAddress, bytes.count > 1 {
                _ = decodeLines(base, from: 0, to: bytes.count, isLast: true)
            }
        }
        return DecodedLines(
            batch: ReadingBatch(rows: log.rows(of: keys.sources, shapes: shapes), arrival: arrival),
            lines: rowLines,
            goodLineCount: goodLineCount,
            refusedLineCount: refusedLineCount,
            truncatedTimeCount: truncatedTimeCount,
            problems: problems)
    }
}

// MARK: - Lines

extension LineDecoder {
    /// Completes the line in `carry` with the first bytes of a chunk.
    ///
    /// - Returns: How many bytes of the chunk were used up.
    private mutating func finishCarriedLine(_ base: UnsafePointer<UInt8>, count: Int) -> Int {
        let carried = carry.count
        // Without a line feed the line cannot end here: no need to look at it again.
        guard ByteCursor.find(Byte.newline, in: base, from: 0, to: count) != nil else { return 0 }
        let taken = min(count, limits.lineBytes + 1)
        var joined = carry
        carry = []
        joined.append(contentsOf: UnsafeBufferPointer(start: base, count: taken))
        var position = 0
        joined.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            while position < carried {
                let next = decodeLine(start, from: position, to: bytes.count, isLast: false)
                guard let next else { break }
                position = next
            }
        }
        if position >= carried { return position - carried }
        // The line goes on past everything at hand.
        carry = Array(joined[position..<carried])
        return 0
    }

    /// Decodes lines up to the last one that is whole.
    ///
    /// - Returns: The position of the first byte that was not used up.
    private mutating func decodeLines(
        _ base: UnsafePointer<UInt8>, from start: Int, to end: Int, isLast: Bool
    ) -> Int {
        // While a line is being carried, the bytes at hand belong to it.
        guard carry.isEmpty else { return start }
        var position = start
        while position < end, let next = decodeLine(base, from: position, to: end, isLast: isLast) { position = next }
        return position
    }

    /// Keeps the beginning of a line for the next chunk, or refuses it when it is too long already.
    private mutating func keepRest(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int) {
        guard start < end else { return }
        carry.append(contentsOf: UnsafeBufferPointer(start: base + start, count: end - start))
        guard carry.count > limits.lineBytes else { return }
        let bytes = carry
        carry = []
        guard bytes.contains(Byte.newline) else {
            lineNumber += 1
            refuse(.lineLength, column: limits.lineBytes + 1)
            isSkipping = true
            return
        }
        // What looked like one line with line feeds in its strings is too long for that.
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let position = decodeLines(base, from: 0, to: buffer.count, isLast: false)
            keepRest(base, from: position, to: buffer.count)
        }
    }

    /// Decodes the line at `start`.
    ///
    /// - Returns: Where the next line begins, or `nil` when the line does not end before `end`.
    @inline(__always)
    private mutating func decodeLine(
        _ base: UnsafePointer<UInt8>, from start: Int, to end: Int, isLast: Bool
    ) -> Int? {
        guard let lineFeed = ByteCursor.find(Byte.newline, in: base, from: start, to: end) else { return nil }
        if lineNumber >= limits.lines { return refuseRest(base, from: start, to: end) }
        guard lineFeed - start <= limits.lineBytes else {
            lineNumber += 1
            refuse(.lineLength, column: limits.lineBytes + 1)
            return lineFeed + 1
        }
        var cursor = ByteCursor(base: base, position: start, end: Self.contentEnd(base, start, lineFeed))
        cursor.skipSpaces()
        if cursor.isAtEnd || cursor.byte == Byte.hash {
            lineNumber += 1
            return lineFeed + 1
        }
        let mark = log.mark
        let firstLine = lineNumber
        do {
            // A string may go on over line feeds, but only as far as a line may reach: otherwise what becomes of it would
            // depend on how much of the request has arrived.
            let reach = min(end, start + limits.lineBytes + 1)
            let next = try parseLine(&cursor, lineFeed: lineFeed, limit: reach)
            rowLines.note(firstLine &+ 1, of: goodLineCount)
            goodLineCount += 1
            lineNumber += 1
            return next
        } catch {
            log.rewind(to: mark)
            lineNumber = firstLine
            if error.isIncomplete, !isLast, end - start <= limits.lineBytes { return nil }
            return skipBadLine(error, base, from: start, lineFeed: lineFeed, to: end)
        }
    }

    @inline(__always)
    static func contentEnd(_ base: UnsafePointer<UInt8>, _ start: Int, _ lineFeed: Int) -> Int {
        lineFeed > start && base[lineFeed - 1] == Byte.carriageReturn ? lineFeed - 1 : lineFeed
    }

    /// Counts a line that was split by line feeds inside its strings as the lines that an editor shows.
    mutating func countLineFeed() { lineNumber += 1 }

    private mutating func skipBadLine(
        _ fault: LineFault, _ base: UnsafePointer<UInt8>, from start: Int, lineFeed: Int, to end: Int
    ) -> Int {
        lineNumber += 1
        guard !fault.isIncomplete else {
            refuse(.textUnterminated, column: lineFeed - start + 1)
            return lineFeed + 1
        }
        refuse(fault.reason, column: fault.position - start + 1)
        // The next line begins after the line feed that follows the fault.
        var next = lineFeed
        while next < fault.position,
            let further = ByteCursor.find(Byte.newline, in: base, from: next + 1, to: end)
        {
            next = further
            lineNumber += 1
        }
        return next + 1
    }

    /// Refuses all lines from here on, counted but described once.
    private mutating func refuseRest(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
        var position = start
        while let lineFeed = ByteCursor.find(Byte.newline, in: base, from: position, to: end) {
            lineNumber += 1
            if lineNumber == limits.lines + 1 { refuse(.lineCount, column: 1) } else { refusedLineCount += 1 }
            position = lineFeed + 1
        }
        return position
    }

    private mutating func refuse(_ reason: LineReason, column: Int) {
        refusedLineCount += 1
        guard problems.count < limits.problems else { return }
        problems.append(LineProblem(line: lineNumber, column: column, reason: reason))
    }
}
