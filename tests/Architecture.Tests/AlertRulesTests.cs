using System.Diagnostics;

namespace OrderInventory.Architecture.Tests;

public sealed class AlertRulesTests
{
    [PromtoolFact]
    public async Task The_alerts_fire_when_they_should_and_not_before()
    {
        using var promtool = Process.Start(new ProcessStartInfo("promtool", ["test", "rules", Path.Combine(Repository.Root, "deploy/alerts/order-inventory.test.yml")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = await Task.WhenAll(promtool.StandardOutput.ReadToEndAsync(), promtool.StandardError.ReadToEndAsync());
        await promtool.WaitForExitAsync();
        Assert.True(promtool.ExitCode == 0, string.Concat(output));
    }
}

/// <summary>Runs only where promtool is installed (Debian's package prometheus).</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PromtoolFactAttribute : FactAttribute
{
    public PromtoolFactAttribute()
    {
        if (!Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "promtool"))))
        {
            Skip = "promtool is not installed (Debian: apt-get install prometheus): the alerts are not tested.";
        }
    }
}
