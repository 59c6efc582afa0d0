using System.Text.Json.Nodes;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>MSBuild silently accepts an unknown property, so a service's runtime settings are read from the build output.</summary>
public sealed class RuntimeSettingsTests
{
    [Theory]
    [InlineData("Orders")]
    [InlineData("Inventory")]
    [InlineData("Products")]
    [InlineData("Customers")]
    [InlineData("Notifications")]
    [InlineData("Gateway")]
    [InlineData("Identity")]
    [InlineData("Console")]
    public void A_service_has_the_runtime_settings_for_little_memory(string service)
    {
        var file = Path.Combine(Repository.Root, "services", service, Repository.Output, $"OrderInventory.{service}.runtimeconfig.json");
        var settings = JsonNode.Parse(File.ReadAllText(file))!["runtimeOptions"]!["configProperties"]!;

        Assert.False(settings["System.GC.Server"]?.GetValue<bool>() ?? false);
        Assert.False(settings["System.GC.Concurrent"]!.GetValue<bool>());
        Assert.Equal(0, settings["System.Threading.ThreadPool.UnfairSemaphoreSpinLimit"]!.GetValue<int>());
        Assert.Equal(3000, settings["System.Runtime.TieredCompilation.CallCountThreshold"]!.GetValue<int>());
    }
}
