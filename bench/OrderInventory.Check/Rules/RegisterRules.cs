using System.Collections;
using System.Runtime.InteropServices;
using OrderInventory.Check.Facts;
using OrderInventory.Check.Histories;

namespace OrderInventory.Check.Rules;

/// <summary>
/// The units on hand of a product that nobody orders are one register: an adjustment adds to it, a stocktake is a compare-and-set, and a
/// refused stocktake reads it. The search is that of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993): it takes an
/// operation that no other one must precede, applies it, continues, and backtracks when the rest does not fit. It remembers configurations, so
/// that none is searched twice, as in Lowe ("Testing for linearizability", 2017).
/// </summary>
internal static class RegisterRules
{
    /// <summary>
    /// The answers to all adjustments and stocktakes of a product fit one sequence, in which each takes effect between its request and its answer.
    /// </summary>
    public const string Linearizable = "linearizable register";

    /// <summary>The largest number of configurations that are searched; if it is exceeded, the rule reports that as a violation.</summary>
    private const int MaxConfigurations = 5_000_000;

    public static IEnumerable<Violation> Find(History history, SystemFacts facts)
    {
        foreach (var register in history.Run.Registers)
        {
            var calls = history.Operations.Where(o => o.Product == register.ProductId && o.Op is Op.Adjust or Op.Stocktake).GroupBy(o => o.Key).Select(Call.Of).ToList();
            var final = facts.Levels.Where(level => level.Product == register.ProductId).Sum(level => level.OnHand);
            if (Search(register.Quantity, calls, final) is { } stuck)
            {
                yield return new(
                    Linearizable, $"No order of the {calls.Count} calls that changed product {register.ProductId} leads from {register.Quantity} to {final} units with the given answers: {stuck.Text}",
                    stuck.Lines);
            }
        }
    }

    /// <summary>Null when a valid sequence exists; otherwise how far the best one came.</summary>
    private static (string Text, IEnumerable<HistoryLine> Lines)? Search(long start, List<Call> calls, long final)
    {
        calls = [.. calls.OrderBy(call => call.Start)];
        var (done, must) = (new BitArray(calls.Count), calls.Count(call => call.Must));
        var seen = new HashSet<Configuration>();
        var best = (Count: -1, State: start, Done: new BitArray(calls.Count));
        var path = new Stack<(int Call, long Before)>();
        var (state, left, next) = (start, must, 0);
        while (true)
        {
            if (left == 0 && state == final)
            {
                return null;
            }

            // The first answer among the remaining calls: a call that began after it may not come before it.
            var bound = calls.Where((call, i) => !done[i] && call.Must).Select(call => call.End).DefaultIfEmpty(double.MaxValue).Min();
            var found = -1;
            for (var i = next; i < calls.Count && calls[i].Start <= bound; i++)
            {
                if (!done[i] && calls[i].Apply(state, out var after))
                {
                    done[i] = true;
                    if (seen.Add(new(done, after)))
                    {
                        path.Push((i, state));
                        (state, found) = (after, i);
                        left -= calls[i].Must ? 1 : 0;
                        break;
                    }

                    done[i] = false;
                }
            }

            if (found >= 0)
            {
                next = 0;
                if (path.Count > best.Count)
                {
                    best = (path.Count, state, new(done));
                }

                if (seen.Count > MaxConfigurations)
                {
                    return ($"the search was abandoned after {seen.Count} configurations.", []);
                }
            }
            else if (path.TryPop(out var last))
            {
                done[last.Call] = false;
                left += calls[last.Call].Must ? 1 : 0;
                (state, next) = (last.Before, last.Call + 1);
            }
            else
            {
                var rest = calls.Where((call, i) => !best.Done[i] && call.Must).OrderBy(call => call.Start).Take(4).ToList();
                return ($"after {best.Count} of them the register is {best.State}, and none of the next fits.", rest.SelectMany(call => call.Lines));
            }
        }
    }

    /// <summary>One request with its repetitions, from the first one sent to the last answer.</summary>
    private sealed record Call(Op Op, long Delta, long Expected, long Counted, double Start, double End, int Answer, long? OnHand, IReadOnlyList<HistoryLine> Lines)
    {
        private const int Done = 1;
        private const int Refused = 2;

        /// <summary>Whether an answer told a client the outcome, so that the call must be in the sequence.</summary>
        public bool Must => Answer == Done || (Answer == Refused && OnHand is not null);

        public static Call Of(IGrouping<string?, Operation> request)
        {
            var attempts = request.ToList();
            var first = attempts[0];
            var done = attempts.Find(o => o.IsAcknowledged);
            var refused = attempts.TrueForAll(o => o.IsRefused) ? attempts[^1] : null;
            var answer = done is not null ? Done : refused is not null ? Refused : 0;
            return new(
                first.Op, first.Delta ?? 0, first.Expected ?? 0, first.Counted ?? 0, attempts.Min(o => o.Start),
                answer == 0 ? double.MaxValue : (done ?? refused!).End, answer, done is { Replayed: true } ? null : (done ?? refused)?.OnHand, attempts);
        }

        /// <summary>
        /// Computes the register after the call; false when its answer does not fit the state. A call with an unknown outcome may also never happen.
        /// </summary>
        public bool Apply(long state, out long after)
        {
            after = state;
            if (Answer == Refused)
            {
                return Op == Op.Stocktake && OnHand == state && state != Expected;
            }

            after = Op == Op.Adjust ? state + Delta : Counted;
            return after >= 0 && (Op == Op.Adjust || state == Expected) && (OnHand is not { } shown || shown == after);
        }
    }

    /// <summary>The calls that have been applied, and the resulting register.</summary>
    private readonly struct Configuration : IEquatable<Configuration>
    {
        private readonly int[] _done;
        private readonly long _state;
        private readonly int _hash;

        public Configuration(BitArray done, long state)
        {
            _done = new int[(done.Length + 31) / 32];
            done.CopyTo(_done, 0);
            _state = state;
            var hash = new HashCode();
            hash.AddBytes(MemoryMarshal.AsBytes(_done.AsSpan()));
            hash.Add(state);
            _hash = hash.ToHashCode();
        }

        public bool Equals(Configuration other) => _state == other._state && _done.AsSpan().SequenceEqual(other._done);

        public override bool Equals(object? obj) => obj is Configuration other && Equals(other);

        public override int GetHashCode() => _hash;
    }
}
