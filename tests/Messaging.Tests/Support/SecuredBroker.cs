using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Confluent.Kafka;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>A Kafka from KAFKA_HOME, configured as in a company: TLS with its own certificate, users with passwords (SASL). On loopback.</summary>
public sealed class SecuredBroker : IAsyncLifetime
{
    public const string User = "things";
    public const string Password = "right-password-of-things";

    private readonly string _folder = Directory.CreateTempSubdirectory("secured-kafka-").FullName;
    private Process? _process;

    public static string? Home { get; } = Environment.GetEnvironmentVariable("KAFKA_HOME") is { Length: > 0 } home && Directory.Exists(Path.Combine(home, "libs")) ? home : null;

    public string Address { get; private set; } = "";

    /// <summary>The certificate that clients trust.</summary>
    public string Authority => Path.Combine(_folder, "ca.pem");

    public async Task InitializeAsync()
    {
        if (Home is null)
        {
            return;
        }

        MakeCertificate();
        var (secured, internally, controller) = (Ports.Free(), Ports.Free(), Ports.Free());
        Address = $"127.0.0.1:{secured}";
        var properties = Path.Combine(_folder, "server.properties");
        await File.WriteAllTextAsync(properties, string.Create(CultureInfo.InvariantCulture, $"""
            process.roles=broker,controller
            node.id=1
            controller.quorum.voters=1@127.0.0.1:{controller}
            listeners=SECURED://127.0.0.1:{secured},INTERNAL://127.0.0.1:{internally},CONTROLLER://127.0.0.1:{controller}
            advertised.listeners=SECURED://127.0.0.1:{secured},INTERNAL://127.0.0.1:{internally}
            listener.security.protocol.map=SECURED:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
            controller.listener.names=CONTROLLER
            inter.broker.listener.name=INTERNAL
            log.dirs={Path.Combine(_folder, "data")}
            offsets.topic.replication.factor=1
            offsets.topic.num.partitions=1
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1
            group.initial.rebalance.delay.ms=0
            sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
            listener.name.secured.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{User}="{Password}";
            listener.name.secured.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
            ssl.keystore.type=PEM
            ssl.keystore.location={Path.Combine(_folder, "server.pem")}

            """));
        using (var format = Java("kafka.tools.StorageTool", "format", "-t", "5L6g3nShT-eMCtK--X86sw", "-c", properties, "--add-scram", $"SCRAM-SHA-512=[name={User},password={Password}]"))
        {
            await format.WaitForExitAsync();
            Assert.True(format.ExitCode == 0, "Kafka's storage could not be formatted.");
        }

        _process = Java("kafka.Kafka", properties);
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = $"127.0.0.1:{internally}" }).SetLogHandler((_, _) => { }).Build();
        await Eventually.TrueAsync(() => Answers(admin), TimeSpan.FromSeconds(60), "the broker answers");
    }

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static bool Answers(IAdminClient admin)
    {
        try
        {
            return admin.GetMetadata(TimeSpan.FromSeconds(1)).Brokers.Count > 0;
        }
        catch (KafkaException)
        {
            return false;
        }
    }

    private static Process Java(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("JAVA_HOME") is { Length: > 0 } home ? Path.Combine(home, "bin", "java") : "java")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", Path.Combine(Home!, "libs", "*"), .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        // The output is discarded, because a full pipe would stop the broker.
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private void MakeCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=broker of a test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(Authority, certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "server.pem"), $"{key.ExportPkcs8PrivateKeyPem()}\n{certificate.ExportCertificatePem()}\n");
    }
}

/// <summary>A test that needs a real Kafka; it is skipped, with a message, without KAFKA_HOME.</summary>
internal sealed class KafkaHomeFactAttribute : FactAttribute
{
    public KafkaHomeFactAttribute() => Skip = SecuredBroker.Home is null ? "KAFKA_HOME is not a Kafka installation, and the mock broker does not support passwords." : null;
}
