using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;

namespace OrderInventory.AppHost.Infrastructure;

/// <summary>
/// librdkafka's mock cluster of one broker, on a loopback TCP port. Confluent.Kafka can start one too, but cannot switch off the three seconds that
/// a group's first consumer waits for others; so it is started by the functions of <c>rdkafka.h</c> and <c>rdkafka_mock.h</c>.
/// </summary>
internal sealed class MockBroker : IDisposable
{
    private const string Library = "librdkafka";
    private const int Producer = 0;
    private nint _client;

    // Confluent.Kafka contains several builds of its library and loads the first one that works on this system. This class must use the same build.
    static MockBroker() => NativeLibrary.SetDllImportResolver(typeof(MockBroker).Assembly, static (name, _, _) => name == Library ? Load() : 0);

    public MockBroker()
    {
        var problem = new byte[512];
        var settings = NewSettings();
        foreach (var (name, value) in new[] { ("test.mock.num.brokers", "1"), ("bootstrap.servers", "mock"), ("log_level", "0") })
        {
            if (Set(settings, name, value, problem, (nuint)problem.Length) != 0)
            {
                throw new InvalidOperationException(TextOf(problem));
            }
        }

        _client = NewClient(Producer, settings, problem, (nuint)problem.Length);
        if (_client == 0)
        {
            throw new InvalidOperationException(TextOf(problem));
        }

        Cluster = ClusterOf(_client);
        Address = Marshal.PtrToStringUTF8(Bootstraps(Cluster))!;
        SetInitialRebalanceDelay(Cluster, 0);
    }

    /// <summary>Host and port.</summary>
    public string Address { get; }

    /// <summary>The cluster, for other functions of <c>rdkafka_mock.h</c>.</summary>
    public nint Cluster { get; }

    /// <summary>The library that Confluent.Kafka has loaded.</summary>
    public static nint Load()
    {
        _ = Confluent.Kafka.Library.Version;
        return NativeLibrary.Load(
            Process.GetCurrentProcess().Modules.Cast<ProcessModule>().First(module => module.ModuleName.Contains(Library, StringComparison.Ordinal)).FileName);
    }

    public void Dispose()
    {
        // Destroying the client twice would crash the process.
        if (Interlocked.Exchange(ref _client, 0) is not 0 and var client)
        {
            Destroy(client);
        }
    }

    private static string TextOf(byte[] problem) => Encoding.UTF8.GetString(problem).TrimEnd('\0');

    [DllImport(Library, EntryPoint = "rd_kafka_conf_new")]
    private static extern nint NewSettings();

    [DllImport(Library, EntryPoint = "rd_kafka_conf_set")]
    private static extern int Set(
        nint settings, [MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, byte[] problem, nuint size);

    [DllImport(Library, EntryPoint = "rd_kafka_new")]
    private static extern nint NewClient(int type, nint settings, byte[] problem, nuint size);

    [DllImport(Library, EntryPoint = "rd_kafka_destroy")]
    private static extern void Destroy(nint client);

    [DllImport(Library, EntryPoint = "rd_kafka_handle_mock_cluster")]
    private static extern nint ClusterOf(nint client);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    private static extern nint Bootstraps(nint cluster);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_group_initial_rebalance_delay_ms")]
    private static extern void SetInitialRebalanceDelay(nint cluster, int milliseconds);
}
