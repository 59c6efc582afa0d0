using Microsoft.Extensions.Time.Testing;
using OrderInventory.Orders.Data;

namespace OrderInventory.Orders.Tests;

public sealed class GroupQueueTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<int> _group = [];

    [Fact]
    public async Task One_that_is_alone_waits_for_nobody()
    {
        var queue = new GroupQueue<int>(_time);
        var first = queue.TakeAsync(_group);
        Assert.True(queue.TryAdd(1));
        Assert.True(await first);
        Assert.Equal([1], _group);

        Assert.True(queue.TryAdd(2));
        Assert.True(await queue.TakeAsync(_group));
        Assert.Equal([2], _group);
    }

    [Fact]
    public async Task A_group_waits_for_as_many_as_the_one_before_had_and_for_no_clock()
    {
        var queue = await AfterThreeAsync();
        Assert.True(queue.TryAdd(4));
        var next = queue.TakeAsync(_group);
        Assert.True(queue.TryAdd(5));
        Assert.False(next.IsCompleted);
        Assert.True(queue.TryAdd(6));

        Assert.True(await next);
        Assert.Equal([4, 5, 6], _group);
    }

    [Fact]
    public async Task A_group_goes_without_those_who_do_not_come_in_time()
    {
        var queue = await AfterThreeAsync();
        Assert.True(queue.TryAdd(4));
        var next = queue.TakeAsync(_group);
        Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(8));

        Assert.True(await next);
        Assert.Equal([4], _group);
    }

    [Fact]
    public async Task What_was_taken_is_handed_out_after_the_end_and_nothing_more_is_taken()
    {
        var queue = new GroupQueue<int>(_time);
        Assert.True(queue.TryAdd(1));
        queue.Complete();

        Assert.False(queue.TryAdd(2));
        Assert.True(await queue.TakeAsync(_group));
        Assert.Equal([1], _group);
        Assert.False(await queue.TakeAsync(_group));
    }

    private async Task<GroupQueue<int>> AfterThreeAsync()
    {
        var queue = new GroupQueue<int>(_time);
        Assert.All([1, 2, 3], item => Assert.True(queue.TryAdd(item)));
        Assert.True(await queue.TakeAsync(_group));
        return queue;
    }
}
