using System.Globalization;
using Npgsql;
using OrderInventory.Check.Histories;

namespace OrderInventory.Campaign.Faults;

/// <summary>Faults one after the other, drawn from a seed: the same seed gives the same faults in the same order, with the same gaps.</summary>
/// <param name="faults">The faults to draw from.</param>
/// <param name="target">The system to inject them into.</param>
/// <param name="gap">Seconds from the end of one fault to the beginning of the next, on average.</param>
/// <param name="most">The largest number of faults.</param>
/// <param name="seed">The seed of the draw.</param>
internal sealed class Schedule(IReadOnlyList<Fault> faults, Target target, double gap, int most, int seed)
{
    private const int MaxKillsPerMinute = 2;

    /// <summary>Faults that start whole replicas come only every this many rounds: otherwise they would take up most of the time.</summary>
    private const int RoundsPerRestart = 4;

    /// <summary>In seconds, even if no gap is wanted: while no fault is possible, looking for one would otherwise keep a processor busy.</summary>
    private const double MinGap = 0.1;

    private readonly Dictionary<string, List<double>> _kills = [];
    private readonly List<FaultLine> _done = [];

    public IReadOnlyList<FaultLine> Done => _done;

    /// <param name="now">Milliseconds since the start of the run.</param>
    /// <param name="writer">The history.</param>
    /// <param name="say">Prints progress.</param>
    /// <param name="over">Cancelled when the load ends: the current fault is undone, and no new one begins.</param>
    public async Task RunAsync(Func<double> now, HistoryWriter writer, Action<string> say, CancellationToken over)
    {
        var random = new Random(seed);
        var (next, rounds) = (0, 0);
        var areAllLong = faults.All(fault => fault.StartsReplicas);
        // Each kind comes once in a round.
        var order = new List<Fault>();
        while (!over.IsCancellationRequested && _done.Count < most)
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Max(MinGap, gap * (0.5 + random.NextDouble()))), over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (over.IsCancellationRequested)
            {
                return;
            }

            if (next == order.Count)
            {
                order = [.. faults.Where(kind => !kind.StartsReplicas || rounds % RoundsPerRestart == 0 || areAllLong).OrderBy(_ => random.Next())];
                (next, rounds) = (0, rounds + 1);
            }

            var fault = order[next++];
            if (fault.Where(target) is not { } where || (fault.Kills && !MayKill(where, now())))
            {
                continue;
            }

            var at = now();
            IReadOnlyList<string>? poison = null;
            try
            {
                poison = await fault.Do(target, where, over);
            }
            catch (Exception problem) when (problem is NpgsqlException or Confluent.Kafka.KafkaException or FaultNotDoneException)
            {
                // The server that it needs is still down from the previous fault, so this one is not counted.
                say(string.Create(CultureInfo.InvariantCulture, $"{at / 1000,5:F0} s: {fault.What} {where} could not be done: {problem.Message}"));
                continue;
            }

            var line = new FaultLine(at, now(), fault.What, where, poison);
            _done.Add(line);
            writer.Add(line);
            say(string.Create(CultureInfo.InvariantCulture, $"{at / 1000,5:F0} s: {fault.What} {where}{(line.Until - at > 500 ? $", {(line.Until - at) / 1000:F0} s" : "")}"));
        }
    }

    /// <summary>Limits kills, because the AppHost's supervisor restarts a service at most three times a minute.</summary>
    private bool MayKill(string where, double now)
    {
        var kills = _kills.TryGetValue(where, out var known) ? known : _kills[where] = [];
        kills.RemoveAll(at => now - at > 70_000);
        if (kills.Count >= MaxKillsPerMinute)
        {
            return false;
        }

        kills.Add(now);
        return true;
    }
}
