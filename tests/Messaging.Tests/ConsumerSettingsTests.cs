using Confluent.Kafka;

namespace OrderInventory.Messaging.Tests;

public class ConsumerSettingsTests
{
    [Fact]
    public void Changing_a_copy_leaves_the_inbox_consumer_as_it_is()
    {
        var options = new MessagingOptions { Consumer = new() { GroupId = "orders", GroupInstanceId = "orders-1", EnableAutoCommit = true } };
        var copy = options.ConsumerSettings;
        copy.GroupId = "orders.responder";
        copy.GroupInstanceId = null;
        copy.EnableAutoCommit = false;
        copy.AutoOffsetReset = AutoOffsetReset.Latest;
        Assert.Equal(("orders", "orders-1", true, null), (options.Consumer.GroupId, options.Consumer.GroupInstanceId, options.Consumer.EnableAutoCommit, options.Consumer.AutoOffsetReset));
    }
}
