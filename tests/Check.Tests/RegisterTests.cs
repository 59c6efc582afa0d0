using OrderInventory.Check.Histories;
using OrderInventory.Check.Rules;
using static OrderInventory.Check.Tests.Scene;

namespace OrderInventory.Check.Tests;

/// <summary>The search for a valid order of concurrent calls.</summary>
public sealed class RegisterTests
{
    [Fact]
    public void Calls_at_the_same_time_may_stand_in_any_order() =>
        Assert.True(Fits(10 + 5 - 3, Adjust("a", 0, 10, 5, 12), Adjust("b", 1, 9, -3, 7)));

    [Fact]
    public void A_call_does_not_stand_before_one_that_was_answered_before_it_was_sent() =>
        Assert.False(Fits(10 + 5 - 3, Adjust("a", 0, 3, 5, 12), Adjust("b", 4, 9, -3, 7)));

    [Fact]
    public void A_call_without_an_answer_may_have_been_made() => Assert.True(Fits(15, Adjust("a", 0, 3, 5, null)));

    [Fact]
    public void A_call_without_an_answer_may_not_have_been_made() => Assert.True(Fits(10, Adjust("a", 0, 3, 5, null)));

    [Fact]
    public void A_call_without_an_answer_may_be_made_late() =>
        Assert.True(Fits(15, Adjust("a", 0, 3, 5, null), Count("b", 10, 12, 9, 8, 409, 10)));

    [Fact]
    public void A_call_without_an_answer_is_made_once() => Assert.False(Fits(20, Adjust("a", 0, 3, 5, null)));

    [Fact]
    public void Of_two_stocktakes_that_expect_the_same_only_one_succeeds() =>
        Assert.False(Fits(9, Count("a", 0, 5, 10, 8, 201, 8), Count("b", 1, 6, 10, 9, 201, 9)));

    [Fact]
    public void A_repetition_with_the_same_key_is_the_same_call() =>
        Assert.True(Fits(15, Adjust("a", 0, 3, 5, null), Adjust("a", 4, 6, 5, 40) with { Replayed = true }));

    private static bool Fits(long final, params Operation[] calls)
    {
        var scene = new Scene();
        scene.Lines.RemoveAll(line => line is Operation { Product: not null } o && o.Product == Register);
        scene.Lines.AddRange(calls);
        scene.Facts = scene.Facts with { Levels = [.. scene.Facts.Levels.Select(level => level.Product == Register ? level with { OnHand = final } : level)] };
        return scene.Check().All(violation => violation.Rule != RegisterRules.Linearizable);
    }

    private static Operation Adjust(string key, double start, double end, long delta, long? onHand) =>
        Call(Op.Adjust, start, end) with { Key = key, Reference = key, Product = Register, Delta = delta, OnHand = onHand, Status = onHand is null ? null : 201 };

    private static Operation Count(string key, double start, double end, long expected, long counted, int status, long onHand) =>
        Call(Op.Stocktake, start, end) with { Key = key, Reference = key, Product = Register, Expected = expected, Counted = counted, OnHand = onHand, Status = status };
}
