using Confluent.Kafka;
using OrderInventory.Messaging.Kafka;

namespace OrderInventory.Messaging.Outbox;

/// <summary>
/// What the relay has handed to the producer and not deleted from the table yet. The producer acknowledges on a thread of its own; all else
/// is called by the relay's loop.
/// </summary>
internal sealed class SentMessages(OutboxSignal signal)
{
    /// <summary>More than these do not wait for the broker: it is away, and the table holds the rest.</summary>
    public const int MaxInFlight = 2048;

    /// <summary>So many acknowledged rows are deleted without waiting for more.</summary>
    private const int DeleteAt = 512;

    private readonly Lock _lock = new();

    /// <summary>In flight, or acknowledged and still in the table.</summary>
    private readonly HashSet<Guid> _sent = [];

    private readonly List<OutboxMessage> _acknowledged = [];
    private readonly Queue<(OutboxMessage Message, Error Error)> _refused = [];

    /// <summary>Of the last deletion: a write that was handed over late is known by these.</summary>
    private HashSet<Guid> _deleted = [];

    private Error? _failure;
    private int _inFlight;
    private bool _hasReported;
    private TaskCompletionSource? _idle;

    /// <summary>An error that may pass. What it concerns, and what came behind, has to be sent again.</summary>
    public Error? Failure
    {
        get
        {
            lock (_lock)
            {
                return _failure;
            }
        }
    }

    public bool IsFull
    {
        get
        {
            lock (_lock)
            {
                return _inFlight >= MaxInFlight;
            }
        }
    }

    /// <summary>Whether everything that was sent is deleted.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock)
            {
                return _sent.Count == 0;
            }
        }
    }

    public bool IsDeletionDue
    {
        get
        {
            lock (_lock)
            {
                return _acknowledged.Count >= DeleteAt;
            }
        }
    }

    /// <summary>Whether the producer has reported on nothing since the last call, although it has something.</summary>
    public bool IsStuck()
    {
        lock (_lock)
        {
            var isStuck = _inFlight > 0 && !_hasReported;
            _hasReported = _inFlight == 0;
            return isStuck;
        }
    }

    /// <summary>Whether the row has left, or is on its way in its place.</summary>
    public bool Contains(Guid id)
    {
        lock (_lock)
        {
            return _sent.Contains(id) || _deleted.Contains(id);
        }
    }

    /// <summary>The message is about to be handed to the producer. False when it was before, and its row still stands.</summary>
    public bool TryBegin(Guid id)
    {
        lock (_lock)
        {
            if (!_sent.Add(id))
            {
                return false;
            }

            _inFlight++;
            return true;
        }
    }

    /// <summary>The producer did not take it; without an error, because its queue is full.</summary>
    public void Remove(Guid id, Error? error = null)
    {
        lock (_lock)
        {
            _sent.Remove(id);
            _failure ??= error;
            Report();
        }
    }

    /// <summary>The producer says what became of the message; null: the broker has it.</summary>
    public void Complete(OutboxMessage message, Error? error)
    {
        bool wakes;
        lock (_lock)
        {
            if (error is null)
            {
                _acknowledged.Add(message);
            }
            else if (EventProducer.IsPermanent(error))
            {
                _refused.Enqueue((message, error));
            }
            else
            {
                _sent.Remove(message.Id);
                _failure ??= error;
            }

            wakes = error is not null || _inFlight == MaxInFlight || _acknowledged.Count == DeleteAt;
            Report();
        }

        if (wakes)
        {
            signal.Signal();
        }
    }

    /// <summary>Ends when the producer has reported on everything.</summary>
    public Task WhenIdle()
    {
        lock (_lock)
        {
            return _inFlight == 0 ? Task.CompletedTask : (_idle ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>The failure has been seen to.</summary>
    public void ClearFailure()
    {
        lock (_lock)
        {
            _failure = null;
        }
    }

    /// <summary>What the broker has, until its rows are <see cref="Deleted"/>.</summary>
    public IReadOnlyList<OutboxMessage> Acknowledged()
    {
        lock (_lock)
        {
            return [.. _acknowledged];
        }
    }

    /// <summary>The rows of these are gone. A host that is stopped twice may say so twice.</summary>
    public void Deleted(IReadOnlyList<OutboxMessage> acknowledged)
    {
        lock (_lock)
        {
            _deleted = [.. acknowledged.Select(message => message.Id)];
            _acknowledged.RemoveAll(message => _deleted.Contains(message.Id));
            _sent.ExceptWith(_deleted);
        }
    }

    /// <summary>A message that the broker will never take, until <see cref="RemoveFirstRefused"/>; null when there is none.</summary>
    public (OutboxMessage Message, Error Error)? FirstRefused()
    {
        lock (_lock)
        {
            return _refused.TryPeek(out var refused) ? refused : null;
        }
    }

    public void RemoveFirstRefused()
    {
        lock (_lock)
        {
            _sent.Remove(_refused.Dequeue().Message.Id);
        }
    }

    private void Report()
    {
        _hasReported = true;
        if (--_inFlight == 0)
        {
            _idle?.SetResult();
            _idle = null;
        }
    }
}
