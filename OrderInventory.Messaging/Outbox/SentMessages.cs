using Confluent.Kafka;
using OrderInventory.Messaging.Kafka;

namespace OrderInventory.Messaging.Outbox;

/// <summary>
/// Messages that the relay has handed to the producer and not deleted from the table yet. The producer reports on its own thread; all other
/// members are called by the relay's loop.
/// </summary>
internal sealed class SentMessages(OutboxSignal signal)
{
    /// <summary>Maximum number of messages that wait for the broker. While it is unavailable, the rest waits in the table.</summary>
    public const int MaxInFlight = 2048;

    /// <summary>This many acknowledged rows are deleted without waiting for more.</summary>
    private const int DeleteAt = 512;

    private readonly Lock _lock = new();

    /// <summary>Ids of messages in flight, or acknowledged and still in the table.</summary>
    private readonly HashSet<Guid> _sent = [];

    private readonly List<OutboxMessage> _acknowledged = [];
    private readonly Queue<(OutboxMessage Message, Error Error)> _refused = [];

    /// <summary>Ids of the last deletion: they show that a write which was handed over late has been published already.</summary>
    private HashSet<Guid> _deleted = [];

    private Error? _failure;
    private int _inFlight;
    private bool _hasReported;
    private TaskCompletionSource? _idle;

    /// <summary>A transient error. The message that it concerns and those after it must be sent again.</summary>
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

    /// <summary>Whether the rows of all sent messages are deleted.</summary>
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

    /// <summary>Whether the producer has messages in flight and has reported on none since the last call.</summary>
    public bool IsStuck()
    {
        lock (_lock)
        {
            var isStuck = _inFlight > 0 && !_hasReported;
            _hasReported = _inFlight == 0;
            return isStuck;
        }
    }

    /// <summary>Whether the message has been published or is in flight.</summary>
    public bool Contains(Guid id)
    {
        lock (_lock)
        {
            return _sent.Contains(id) || _deleted.Contains(id);
        }
    }

    /// <summary>Call it before handing the message to the producer. False when the message was handed over before and its row still exists.</summary>
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

    /// <summary>The producer did not accept the message; without an error, because its queue is full.</summary>
    public void Remove(Guid id, Error? error = null)
    {
        lock (_lock)
        {
            _sent.Remove(id);
            _failure ??= error;
            Report();
        }
    }

    /// <summary>The producer's report on a message; without an error, the broker has acknowledged it.</summary>
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

    /// <summary>Completes when the producer has reported on all messages.</summary>
    public Task WhenIdle()
    {
        lock (_lock)
        {
            return _inFlight == 0 ? Task.CompletedTask : (_idle ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Clears the failure after it was handled.</summary>
    public void ClearFailure()
    {
        lock (_lock)
        {
            _failure = null;
        }
    }

    /// <summary>Messages that the broker has acknowledged and whose rows are not <see cref="Deleted"/> yet.</summary>
    public IReadOnlyList<OutboxMessage> Acknowledged()
    {
        lock (_lock)
        {
            return [.. _acknowledged];
        }
    }

    /// <summary>Call it after deleting the rows of these messages. A host that is stopped twice may call it twice for the same ones.</summary>
    public void Deleted(IReadOnlyList<OutboxMessage> acknowledged)
    {
        lock (_lock)
        {
            _deleted = [.. acknowledged.Select(message => message.Id)];
            _acknowledged.RemoveAll(message => _deleted.Contains(message.Id));
            _sent.ExceptWith(_deleted);
        }
    }

    /// <summary>The first message that the broker permanently refused, until <see cref="RemoveFirstRefused"/>; null when there is none.</summary>
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
