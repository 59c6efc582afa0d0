using OrderInventory.AppHost;

namespace OrderInventory.EndToEnd.Tests;

/// <summary>What the AppHost prints when all is healthy.</summary>
public sealed class StartupReportTests
{
    [Theory]
    [InlineData("smtp://shop:s3cret@mail.example.com:587", "smtp://mail.example.com:587")]
    [InlineData("smtps://shop%40example.com:s3%2Fcret@mail.example.com/?x=s3cret", "smtps://mail.example.com")]
    [InlineData("smtp://shop:s3/cret@mail.example.com", "an address that cannot be read")]
    [InlineData("smtp://127.0.0.1:25", "smtp://127.0.0.1:25")]
    [InlineData("http://127.0.0.1:1080", "http://127.0.0.1:1080")]
    [InlineData("file:///var/mail/shop", "file:///var/mail/shop")]
    [InlineData(null, "none")]
    public void Names_the_mail_server_without_its_password(string? mail, string printed)
    {
        const string secret = "Password=s3cret";
        var endpoints = new StartupReport.Endpoints("http://127.0.0.1:8080", null, mail, [], new() { ["orders"] = secret }, secret, secret);

        var lines = StartupReport.Describe(endpoints, TimeSpan.FromSeconds(12.34), null).Split('\n');

        Assert.Contains($"  Mail       {printed}", lines);
        Assert.DoesNotContain(lines, line => line.Contains("s3", StringComparison.Ordinal) || line.Contains("cret", StringComparison.Ordinal));
    }
}
