using System.Threading.Channels;

namespace OrderInventory.Orders.Data;

/// <summary>A queue of items to write, handed out in groups: a transaction costs about the same for one order as for ten. One reader.</summary>
internal sealed class GroupQueue<T>(TimeProvider time)
{
    private const int MaxGroup = 64;

    /// <summary>After a group of several, the next waits until it is as large, but no longer than this after the previous one was taken.</summary>
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(8);

    // The thread that adds the awaited item runs the reader with it, so that no other thread has to wake up.
    private readonly Channel<T> _waiting = Channel.CreateUnbounded<T>(new() { AllowSynchronousContinuations = true });
    private volatile TaskCompletionSource? _groupFull;
    private volatile int _previousSize;
    private long _taken;

    /// <summary>False when the service is being stopped.</summary>
    public bool TryAdd(T item)
    {
        if (!_waiting.Writer.TryWrite(item))
        {
            return false;
        }

        if (_groupFull is { } groupFull && _waiting.Reader.Count >= _previousSize)
        {
            groupFull.TrySetResult();
        }

        return true;
    }

    /// <summary>Accepts no more items; waiting ones are still handed out.</summary>
    public void Complete() => _waiting.Writer.TryComplete();

    /// <summary>Fills the list with the next group. False when there will be no more.</summary>
    public async Task<bool> TakeAsync(List<T> group)
    {
        if (!await _waiting.Reader.WaitToReadAsync())
        {
            return false;
        }

        if (_previousSize > 1 && s_interval - time.GetElapsedTime(_taken) is { Ticks: > 0 } rest)
        {
            await GatherAsync(rest);
        }

        group.Clear();
        _taken = time.GetTimestamp();
        while (group.Count < MaxGroup && _waiting.Reader.TryRead(out var item))
        {
            group.Add(item);
        }

        _previousSize = group.Count;
        return true;
    }

    private async Task GatherAsync(TimeSpan atMost)
    {
        var groupFull = _groupFull = new TaskCompletionSource();
        // Counted only once the task can be completed: an item that arrives in between completes it.
        if (_waiting.Reader.Count < _previousSize)
        {
            await Task.WhenAny(groupFull.Task, Task.Delay(atMost, time));
        }

        _groupFull = null;
    }
}
