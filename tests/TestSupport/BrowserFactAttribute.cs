using Xunit;

namespace OrderInventory.TestSupport;

/// <summary>A test that needs a browser. It is skipped, with a message, on a machine without one.</summary>
public sealed class BrowserFactAttribute : FactAttribute
{
    /// <summary>The browser's executable; null when there is none.</summary>
    public static readonly string? Chromium = new[] { Environment.GetEnvironmentVariable("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }
        .FirstOrDefault(File.Exists);

    public BrowserFactAttribute()
    {
        if (Chromium is null)
        {
            Skip = "Chromium is not installed (Debian: apt-get install chromium; or set CHROMIUM to its path).";
        }
    }
}
