import VigilModel

/// The bounds of a rule in a form that a loop over numbers asks without looking into the rule.
struct NumberTest {
    private enum Side { case above, below, between, outside }

    private let side: Side
    private let low: Double
    private let high: Double
    private let conversion: UnitConversion?

    /// `nil` for a test that is not about numbers.
    init?(_ test: RuleTest, conversion: UnitConversion?) {
        switch test {
        case .above(let limit): (side, low, high) = (.above, limit, limit)
        case .below(let limit): (side, low, high) = (.below, limit, limit)
        case .between(let low, let high): (side, self.low, self.high) = (.between, low, high)
        case .outside(let low, let high): (side, self.low, self.high) = (.outside, low, high)
        case .state, .missing: return nil
        }
        self.conversion = conversion
    }

    /// As ``RuleTest/isBreached(by:conversion:)`` says; a number that is none breaches nothing.
    func isBreached(by number: Double) -> Bool {
        let value = conversion.map { $0(number) } ?? number
        return switch side {
        case .above: value > high
        case .below: value < low
        case .between: value >= low && value <= high
        case .outside: value < low || value > high
        }
    }
}
