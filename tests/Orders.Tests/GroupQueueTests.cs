using Microsoft.Extensions.Time.Testing;
using OrderInventory.Orders.Data;

namespace OrderInventory.Orders.Tests;

public sealed class GroupQueueTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<int> _group = [];

    [Fact]
    public async Task A_single_entry_does_not_wait()
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
    public async Task A_group_waits_for_as_many_entries_as_the_previous_one_had()
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
    public async Task A_group_is_taken_without_late_entries()
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
    public async Task After_completion_accepted_entries_are_handed_out_and_new_ones_are_refused()
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
