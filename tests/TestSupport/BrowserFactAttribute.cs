using Xunit;

namespace OrderInventory.TestSupport;

/// <summary>A test that needs a browser. Without one on the machine it is skipped, and says so.</summary>
public sealed class BrowserFactAttribute : FactAttribute
{
    /// <summary>Its executable; null when there is none.</summary>
    public static readonly string? Chromium = new[] { Environment.GetEnvironmentVariable("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }
        .FirstOrDefault(File.Exists);

    public BrowserFactAttribute()
    {
        if (Chromium is null)
        {
            Skip = "There is no Chromium here (Debian: apt-get install chromium; or CHROMIUM says where it is).";
        }
    }
}
