using System.Diagnostics;
using OrderInventory.TestSupport;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>
/// A short campaign (bench/campaign.sh, docs/guarantees.md): the whole system on its own servers, a mix of requests, and kills, stops and
/// cut connections in the order of a seed. A checker must find no broken promise afterwards.
/// </summary>
public sealed class CampaignTests
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(280);

    [RealKafkaFact]
    public async Task Every_promise_is_kept_under_faults()
    {
        var start = new ProcessStartInfo(
            Path.Combine(Repository.Root, "bench/campaign.sh"),
            [
                "--seed", "20261128", "--seconds", "45", "--clients", "6", "--gap", "2", "--wait", "100",
                "--faults", "kill,stop,kafka-away,postgres-away,drop,reset,poison,replay",
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var campaign = Process.Start(start)!;
        var output = Task.WhenAll(campaign.StandardOutput.ReadToEndAsync(), campaign.StandardError.ReadToEndAsync());
        try
        {
            await campaign.WaitForExitAsync().WaitAsync(s_timeout);
        }
        catch (TimeoutException)
        {
            // On SIGTERM the campaign ends everything that it started.
            await Signal.SendAsync("TERM", campaign.Id);
            await campaign.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }

        Assert.True(campaign.ExitCode == 0, string.Join('\n', await output));
    }
}

/// <summary>Runs only where a real Kafka is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RealKafkaFactAttribute : FactAttribute
{
    public RealKafkaFactAttribute()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("KAFKA_HOME")))
        {
            Skip = "A campaign needs a real Kafka: KAFKA_HOME is not set.";
        }
    }
}
