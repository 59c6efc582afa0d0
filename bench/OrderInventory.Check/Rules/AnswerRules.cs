using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Rules;

internal static class AnswerRules
{
    /// <summary>Whoever is turned away, with 429 or 503, is told after how many seconds another try makes sense.</summary>
    public const string SayWhen = "refusals say when to come again";

    public static IEnumerable<Violation> Find(History history, SystemFacts facts) =>
        history.Operations.Where(answer => answer.IsTurnedAway && answer.RetryAfter is null)
            .Select(answer => new Violation(SayWhen, $"{answer.Op} was answered {answer.Status} ({answer.Error}) without Retry-After.", answer));
}
