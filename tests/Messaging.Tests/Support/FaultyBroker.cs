using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace OrderInventory.Messaging.Tests;

/// <summary>
/// A broker of the test's own that fails on demand: librdkafka's mock cluster, on a real TCP port, with the functions of
/// <c>rdkafka_mock.h</c> that Confluent.Kafka does not wrap. It tests broker faults also where the shared broker cannot be stopped.
/// </summary>
internal sealed class FaultyBroker : IDisposable
{
    private const string Library = "librdkafka";
    private const int BrokerId = 1;
    private const short ProduceRequest = 0;
    private readonly IProducer<Null, Null> _host;
    private readonly nint _cluster;

    // Confluent.Kafka carries several builds of its library and loads the first that this system can load. Its own one is meant here.
    static FaultyBroker() => NativeLibrary.SetDllImportResolver(typeof(FaultyBroker).Assembly, static (name, _, _) => name != Library ? 0 : NativeLibrary.Load(
        Process.GetCurrentProcess().Modules.Cast<ProcessModule>().First(module => module.ModuleName.Contains(Library, StringComparison.Ordinal)).FileName));

    public FaultyBroker()
    {
        _host = new ProducerBuilder<Null, Null>([new("test.mock.num.brokers", "1"), new("bootstrap.servers", "mock")])
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler(static (_, _) => { })
            .Build();
        _cluster = HandleMockCluster(Native(_host));
        Address = Marshal.PtrToStringAnsi(Bootstraps(_cluster))!;
        // Otherwise the first consumer of a group waits three seconds for others.
        SetInitialRebalanceDelay(_cluster, 0);
    }

    public string Address { get; }

    /// <summary>Cuts all connections and takes no new ones.</summary>
    public void GoDown() => Check(SetDown(_cluster, BrokerId));

    public void ComeBack() => Check(SetUp(_cluster, BrokerId));

    /// <summary>Answers the next produce requests with these errors, one each.</summary>
    public void FailToProduce(params ErrorCode[] errors)
        => PushRequestErrors(_cluster, ProduceRequest, (nuint)errors.Length, [.. errors.Select(error => (int)error)]);

    /// <summary>Puts a client, of any broker, into the state from which librdkafka cannot go on.</summary>
    public static void FailForGood(IClient client) => Check(TestFatalError(Native(client), (int)ErrorCode.OutOfOrderSequenceNumber, "made by a test"));

    public void Dispose() => _host.Dispose();

    private static nint Native(IClient client)
        => ((SafeHandle)typeof(Handle).GetProperty("LibrdkafkaHandle", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(client.Handle)!).DangerousGetHandle();

    private static void Check(int error) => Assert.Equal(0, error);

    [DllImport(Library, EntryPoint = "rd_kafka_handle_mock_cluster")]
    private static extern nint HandleMockCluster(nint client);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_cluster_bootstraps")]
    private static extern nint Bootstraps(nint cluster);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_broker_set_down")]
    private static extern int SetDown(nint cluster, int broker);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_broker_set_up")]
    private static extern int SetUp(nint cluster, int broker);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_group_initial_rebalance_delay_ms")]
    private static extern void SetInitialRebalanceDelay(nint cluster, int milliseconds);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_push_request_errors_array")]
    private static extern void PushRequestErrors(nint cluster, short request, nuint count, int[] errors);

    [DllImport(Library, EntryPoint = "rd_kafka_test_fatal_error", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int TestFatalError(nint client, int error, string reason);
}
