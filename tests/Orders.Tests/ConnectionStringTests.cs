using OrderInventory.ServiceDefaults.Data;

namespace OrderInventory.Orders.Tests;

public sealed class ConnectionStringTests
{
    [Theory]
    [InlineData("Host=h", "Max Auto Prepare=100", "No Reset On Close=True", "Maximum Pool Size=25", "Timeout=5")]
    [InlineData("Host=h;Max Auto Prepare=0;No Reset On Close=false;MaxPoolSize=3;Timeout=15", "Max Auto Prepare=0", "No Reset On Close=False", "Maximum Pool Size=3", "Timeout=15")]
    [InlineData("Host=h;Options=-c jit=off", "Options=\"-c jit=off\"")]
    public void Configured_values_override_the_defaults_of_a_service(string configured, params string[] expected)
    {
        var settings = ServiceDatabaseExtensions.ConnectionString(configured).ConnectionString.Split(';');
        Assert.All(expected, setting => Assert.Contains(setting, settings));
    }
}
