using System.Net;
using OrderInventory.TestSupport;

namespace OrderInventory.Messaging.Tests;

/// <summary>TLS and SASL by configuration, on a broker that requires both.</summary>
[Collection(InfrastructureCollection.Name)]
public class SecuredKafkaTests(InfrastructureFixture infrastructure, SecuredBroker broker) : IClassFixture<SecuredBroker>
{
    // Fails when one of the clients (topics, outbox, inbox) does not log in as configured.
    [KafkaHomeFact]
    public async Task An_event_goes_out_and_comes_in_with_a_password_over_tls()
    {
        foreach (var mechanism in new[] { "ScramSha512", "Plain" })
        {
            await using var bed = await TestBed.CreateAsync(infrastructure);
            var service = await bed.StartAsync(Settings(mechanism, SecuredBroker.Password));
            await Eventually.TrueAsync(async () => (await service.Client.GetAsync("/health")).StatusCode == HttpStatusCode.OK, TestBed.Timeout, $"ready with {mechanism}");

            var key = Guid.CreateVersion7();
            service.HandOver(await service.WriteAsync(bed.Message(key, 1)));

            await bed.AppliedAsync(key, 1);
        }
    }

    // Fails when a wrong password looks like a broker that is down or like a healthy service, or when the password is in the log.
    [KafkaHomeFact]
    public async Task A_wrong_password_or_certificate_is_logged_in_one_line_and_the_service_is_not_ready()
    {
        await using var bed = await TestBed.CreateAsync(infrastructure);
        foreach (var (settings, told) in new[]
        {
            (Settings("ScramSha512", "wrong-password"), "Authentication failed"),
            (Settings("Plain", "wrong-password"), "Authentication failed"),
            (Settings("Plain", SecuredBroker.Password).Where(setting => setting.Name != "Messaging:Kafka:SslCaLocation"), "certificate"),
        })
        {
            var service = await bed.StartAsync(settings);
            await Eventually.TrueAsync(() => service.Log.Lines.Any(line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains("configured", StringComparison.Ordinal) && line.Contains(told, StringComparison.OrdinalIgnoreCase)), TestBed.Timeout, $"a line with '{told}'");

            using var health = await service.Client.GetAsync("/health");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, health.StatusCode);
            Assert.DoesNotContain(service.Log.Lines, line => line.Contains("wrong-password", StringComparison.Ordinal) || line.Contains(SecuredBroker.Password, StringComparison.Ordinal));
        }
    }

    private IEnumerable<(string Name, string Value)> Settings(string mechanism, string password) =>
    [
        ("ConnectionStrings:kafka", broker.Address),
        ("Messaging:CreateTopics", "true"),
        ("Messaging:Kafka:SecurityProtocol", "SaslSsl"),
        ("Messaging:Kafka:SaslMechanism", mechanism),
        ("Messaging:Kafka:SaslUsername", SecuredBroker.User),
        ("Messaging:Kafka:SaslPassword", password),
        ("Messaging:Kafka:SslCaLocation", broker.Authority),
    ];
}
