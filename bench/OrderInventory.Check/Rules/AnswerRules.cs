using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Rules;

internal static class AnswerRules
{
    /// <summary>Every 429 and 503 has a Retry-After.</summary>
    public const string HaveRetryAfter = "refusals say when to retry";

    public static IEnumerable<Violation> Find(History history, SystemFacts facts) =>
        history.Operations.Where(answer => answer.IsTurnedAway && answer.RetryAfter is null)
            .Select(answer => new Violation(HaveRetryAfter, $"{answer.Op} was answered {answer.Status} ({answer.Error}) without Retry-After.", answer));
}
