using Confluent.Kafka;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace OrderInventory.Messaging.Tests;

public class ConsumerSettingsTests
{
    [Fact]
    public void Changing_a_copy_does_not_change_the_inbox_consumer()
    {
        var options = new MessagingOptions { Consumer = new() { GroupId = "orders", GroupInstanceId = "orders-1", EnableAutoCommit = true } };
        var copy = options.ConsumerSettings;
        copy.GroupId = "orders.responder";
        copy.GroupInstanceId = null;
        copy.EnableAutoCommit = false;
        copy.AutoOffsetReset = AutoOffsetReset.Latest;
        Assert.Equal(("orders", "orders-1", true, null), (options.Consumer.GroupId, options.Consumer.GroupInstanceId, options.Consumer.EnableAutoCommit, options.Consumer.AutoOffsetReset));
    }

    [Fact]
    public void One_section_sets_the_credentials_of_every_client()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:kafka"] = "broker:9093",
            ["Messaging:Kafka:SecurityProtocol"] = "SaslSsl",
            ["Messaging:Kafka:SaslMechanism"] = "ScramSha512",
            ["Messaging:Kafka:SaslUsername"] = "orders",
            ["Messaging:Kafka:SaslPassword"] = "secret",
            ["Messaging:Kafka:SslCaLocation"] = "/etc/ca.pem",
        });
        builder.AddMessaging("things", messaging => messaging.Consumes<ThingChanged, ThingsHandler>("things", ThingChanged.Type, ThingsJson.Default.ThingChanged));
        var options = (MessagingOptions)builder.Services.Single(service => service.ServiceType == typeof(MessagingOptions)).ImplementationInstance!;

        foreach (var config in new ClientConfig[] { options.Kafka, options.Producer, options.BulkProducer, options.Consumer, options.ConsumerSettings, new ProducerConfig().Take(options.Kafka) })
        {
            Assert.Equal(
                ("broker:9093", SecurityProtocol.SaslSsl, SaslMechanism.ScramSha512, "orders", "secret", "/etc/ca.pem"),
                (config.BootstrapServers, config.SecurityProtocol, config.SaslMechanism, config.SaslUsername, config.SaslPassword, config.SslCaLocation));
        }

        Assert.Equal(true, options.Producer.EnableIdempotence);
        Assert.Equal("things", options.Consumer.GroupId);
    }
}
