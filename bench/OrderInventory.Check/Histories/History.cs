using System.Text.Json;

namespace OrderInventory.Check.Histories;

/// <summary>The clients' requests with their answers, and the faults that were injected meanwhile.</summary>
internal sealed class History
{
    public History(RunLine run, IEnumerable<HistoryLine> lines)
    {
        Run = run;
        var all = lines.ToList();
        Operations = [.. all.OfType<Operation>()];
        Faults = [.. all.OfType<FaultLine>()];
        Samples = [.. all.OfType<SampleLine>()];
        ByKey = Operations.Where(o => o.Key is not null).ToLookup(o => o.Key!);
        ByOrder = Operations.Where(o => o.Order is not null).ToLookup(o => o.Order!.Value);
    }

    public RunLine Run { get; }

    /// <summary>In the order of the file, which is the order in which they ended.</summary>
    public IReadOnlyList<Operation> Operations { get; }

    public IReadOnlyList<FaultLine> Faults { get; }

    public IReadOnlyList<SampleLine> Samples { get; }

    /// <summary>Each request with all its repetitions.</summary>
    public ILookup<string, Operation> ByKey { get; }

    public ILookup<Guid, Operation> ByOrder { get; }

    /// <exception cref="InvalidDataException">A line cannot be read, or the first line does not describe the run.</exception>
    public static async Task<History> ReadAsync(string file, CancellationToken cancellationToken)
    {
        var lines = new List<HistoryLine>();
        var number = 0;
        await foreach (var text in File.ReadLinesAsync(file, cancellationToken))
        {
            number++;
            try
            {
                var line = JsonSerializer.Deserialize(text, HistoryJson.Default.HistoryLine)!;
                line.Number = number;
                lines.Add(line);
            }
            catch (JsonException problem)
            {
                throw new InvalidDataException($"{file}, line {number}: {problem.Message}", problem);
            }
        }

        return lines.FirstOrDefault() is RunLine run ? new(run, lines) : throw new InvalidDataException($"{file} does not begin with the line of a run.");
    }
}

/// <summary>Writes a history during the run. Any thread may add lines.</summary>
internal sealed class HistoryWriter(string file) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly StreamWriter _writer = new(file, append: false) { AutoFlush = false };
    private int _lines;

    public void Add(HistoryLine line)
    {
        var text = JsonSerializer.Serialize(line, HistoryJson.Default.HistoryLine);
        lock (_lock)
        {
            line.Number = ++_lines;
            _writer.WriteLine(text);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _writer.Dispose();
        }
    }
}
