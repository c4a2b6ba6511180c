package import VigilModel

/// What one request of line protocol held.
package struct DecodedLines: Sendable {
    /// The readings of the good lines, as rows; a group is a source.
    package var batch: ReadingBatch
    /// On which line each row begins.
    package let lines: RowLines
    package let goodLineCount: Int
    /// All refused lines, described or not.
    package let refusedLineCount: Int
    /// Lines whose timestamp was finer than a microsecond and lost digits.
    package let truncatedTimeCount: Int
    /// The first refused lines, up to ``LineLimits/problems``.
    package let problems: [LineProblem]
}
