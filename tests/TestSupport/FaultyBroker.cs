using System.Reflection;
using System.Runtime.InteropServices;
using Confluent.Kafka;
using OrderInventory.AppHost.Infrastructure;
using Xunit;

namespace OrderInventory.TestSupport;

/// <summary>
/// The test's own broker, which fails on demand: librdkafka's mock cluster, on a real TCP port, with the functions of
/// <c>rdkafka_mock.h</c> that Confluent.Kafka does not wrap. It tests broker faults also where the shared broker cannot be stopped.
/// </summary>
public sealed class FaultyBroker : IDisposable
{
    private const string Library = "librdkafka";
    private const int BrokerId = 1;
    private const short ProduceRequest = 0;
    private readonly MockBroker _broker = new();

    static FaultyBroker() => NativeLibrary.SetDllImportResolver(typeof(FaultyBroker).Assembly, static (name, _, _) => name == Library ? MockBroker.Load() : 0);

    public string Address => _broker.Address;

    /// <summary>Cuts all connections and accepts no new ones.</summary>
    public void GoDown() => Check(SetDown(_broker.Cluster, BrokerId));

    public void ComeBack() => Check(SetUp(_broker.Cluster, BrokerId));

    /// <summary>Answers the next produce requests with these errors, one each.</summary>
    public void FailToProduce(params ErrorCode[] errors)
        => PushRequestErrors(_broker.Cluster, ProduceRequest, (nuint)errors.Length, [.. errors.Select(error => (int)error)]);

    /// <summary>Puts a client of any broker into librdkafka's fatal state, in which it cannot continue.</summary>
    public static void FailFatally(IClient client) => Check(TestFatalError(Native(client), (int)ErrorCode.OutOfOrderSequenceNumber, "made by a test"));

    public void Dispose() => _broker.Dispose();

    private static nint Native(IClient client)
        => ((SafeHandle)typeof(Handle).GetProperty("LibrdkafkaHandle", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(client.Handle)!).DangerousGetHandle();

    private static void Check(int error) => Assert.Equal(0, error);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_broker_set_down")]
    private static extern int SetDown(nint cluster, int broker);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_broker_set_up")]
    private static extern int SetUp(nint cluster, int broker);

    [DllImport(Library, EntryPoint = "rd_kafka_mock_push_request_errors_array")]
    private static extern void PushRequestErrors(nint cluster, short request, nuint count, int[] errors);

    [DllImport(Library, EntryPoint = "rd_kafka_test_fatal_error", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int TestFatalError(nint client, int error, string reason);
}
