import Testing
import VigilModel
import VigilServices

/// A tenant sends so many readings a second, and may hurry for ten.
@Suite struct ReadingBudgetTests {
    private let start = World.start

    @Test func `a burst is free, then as many as flow in`() {
        var budget = ReadingBudget(perSecond: 100, at: start)
        #expect(budget.spend(1_000, at: start) == nil)
        #expect(budget.spend(50, at: start) == .milliseconds(500))
        #expect(budget.spend(50, at: start + .milliseconds(500)) == nil)
        #expect(budget.spend(1_000, at: start + .seconds(100)) == nil)
    }

    @Test func `a batch larger than a burst is let in alone`() {
        var budget = ReadingBudget(perSecond: 100, at: start)
        #expect(budget.spend(5_000, at: start) == nil)
        #expect(budget.spend(1, at: start) == .milliseconds(40_010))
    }

    @Test func `without a limit anything is let in`() {
        var budget = ReadingBudget(perSecond: 0, at: start)
        for _ in 0..<10 { #expect(budget.spend(1_000_000, at: start) == nil) }
    }
}
