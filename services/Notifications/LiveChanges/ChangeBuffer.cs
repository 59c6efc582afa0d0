using System.Diagnostics.CodeAnalysis;

namespace OrderInventory.Notifications.LiveChanges;

/// <summary>Something that changed, ready to be sent.</summary>
/// <param name="Kind">What kind of object changed; null for a message to all listeners.</param>
/// <param name="Event">The name of the event, such as <c>order.updated</c>.</param>
/// <param name="Subject">The order, product or notification.</param>
/// <param name="OrderId">The order concerned, or null.</param>
/// <param name="CustomerId">The customer to whom the change belongs; null for stock, and for messages to staff.</param>
/// <param name="Data">JSON in one line, UTF-8.</param>
/// <param name="ForCustomers">The part of the data that a customer may see; null when that is all of it.</param>
internal sealed record Change(ChangeKind? Kind, string Event, Guid? Subject, Guid? OrderId, Guid? CustomerId, byte[] Data, byte[]? ForCustomers = null);

/// <summary>The kinds of changes that can be requested.</summary>
public enum ChangeKind
{
    /// <summary>Orders that were placed or changed.</summary>
    Order,

    /// <summary>Stock levels.</summary>
    Stock,

    /// <summary>Notifications that were recorded, sent or failed.</summary>
    Notification,
}

/// <summary>
/// The newest changes of one replica, shared by all its readers. A reader holds only a number, so a slow reader costs no memory: if its next change
/// is no longer kept, the reader is notified. Numbers belong to a series; a new series begins when changes may have been missed.
/// </summary>
internal sealed class ChangeBuffer
{
    /// <summary>Maximum number of changes that are kept, and their maximum size in bytes.</summary>
    public const int MaxChanges = 8192;
    public const int MaxBytes = 16 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Change?[] _changes = new Change?[MaxChanges];
    private long _first = 1;
    private long _next = 1;
    private long _bytes;
    private string _series = NewSeries();
    private TaskCompletionSource _added = NewSignal();

    /// <summary>The series and the number of the last change.</summary>
    public (string Series, long Number) Last
    {
        get
        {
            lock (_lock)
            {
                return (_series, _next - 1);
            }
        }
    }

    public void Add(Change change)
    {
        TaskCompletionSource added;
        lock (_lock)
        {
            _bytes += SizeOf(change);
            while (_next - _first >= MaxChanges || (_bytes > MaxBytes && _first < _next))
            {
                ref var oldest = ref _changes[_first++ % MaxChanges];
                _bytes -= SizeOf(oldest!);
                oldest = null;
            }

            _changes[_next++ % MaxChanges] = change;
            (added, _added) = (_added, NewSignal());
        }

        added.SetResult();
    }

    /// <summary>Starts a new series, because changes may have been missed: readers start again.</summary>
    public void Restart()
    {
        TaskCompletionSource added;
        lock (_lock)
        {
            Array.Clear(_changes);
            (_first, _bytes, _series) = (_next, 0, NewSeries());
            (added, _added) = (_added, NewSignal());
        }

        added.SetResult();
    }

    /// <summary>Reads up to <paramref name="most"/> changes after a number.</summary>
    /// <param name="series">The series of the number.</param>
    /// <param name="number">The last change that the reader has read.</param>
    /// <param name="most">Maximum number of changes.</param>
    /// <param name="changes">The changes; the first one has the number after <paramref name="number"/>.</param>
    /// <param name="more">Completes when there is another change.</param>
    /// <returns>False when some of these changes are no longer kept, or the series has ended.</returns>
    [SuppressMessage("Design", "CA1021", Justification = "Read under one lock.")]
    public bool TryRead(string series, long number, int most, out IReadOnlyList<Change> changes, out Task more)
    {
        lock (_lock)
        {
            (changes, more) = ([], _added.Task);
            if (series != _series || number + 1 < _first || number >= _next)
            {
                return false;
            }

            var found = new Change[Math.Min(most, _next - number - 1)];
            for (var i = 0; i < found.Length; i++)
            {
                found[i] = _changes[(number + 1 + i) % MaxChanges]!;
            }

            changes = found;
            return true;
        }
    }

    private static int SizeOf(Change change) => change.Data.Length + (change.ForCustomers?.Length ?? 0) + 200;

    private static string NewSeries() => Guid.CreateVersion7().ToString("N");

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
