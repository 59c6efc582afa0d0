using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Orders.Tests;

/// <summary>The grammar of <c>Prefer</c> (RFC 7240, section 2).</summary>
public sealed class PreferencesTests
{
    [Theory]
    [InlineData(5, "wait=5")]
    [InlineData(5, "wait=\"5\"")]
    [InlineData(5, "Wait = \"5\"")]
    [InlineData(5, "wait=5; foo=bar")]
    [InlineData(5, "respond-async, wait=5")]
    [InlineData(5, "respond-async", "wait=5")]
    [InlineData(5, "foo=\"a, wait=9; \\\" wait=8\", wait=5")]
    [InlineData(5, "wait=5, wait=7")]
    [InlineData(5, "wait=5", "wait=7")]
    [InlineData(5, ", ,wait=5,")]
    [InlineData(5, "wait=\"\\5\"")]
    [InlineData(0, "wait=0")]
    [InlineData(int.MaxValue, "wait=99999999999999999999999999")]
    [InlineData(null, "")]
    [InlineData(null, "wait")]
    [InlineData(null, "wait=")]
    [InlineData(null, "wait=\"\"")]
    [InlineData(null, "wait=5.5")]
    [InlineData(null, "wait=-5")]
    [InlineData(null, "wait=+5")]
    [InlineData(null, "wait=\" 5\"")]
    [InlineData(null, "await=5")]
    [InlineData(null, "foo=bar; wait=5")]
    [InlineData(null, "foo=\"wait=5")]
    public void Reads_the_wait(int? seconds, params string[] header) => Assert.Equal(seconds, Preferences.Wait(header));
}
