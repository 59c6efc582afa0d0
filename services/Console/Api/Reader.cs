using System.Globalization;
using Microsoft.JSInterop;

namespace OrderInventory.Console.Api;

/// <summary>The person at the page: their time zone, in which times are shown. The browser is asked for it once.</summary>
internal sealed class Reader(IJSRuntime browser)
{
    public TimeZoneInfo Zone { get; private set; } = TimeZoneInfo.Utc;

    public bool IsKnown { get; private set; }

    /// <summary>The browser's time zone if this system does not know it, so that times are shown in UTC; otherwise null.</summary>
    public string? UnknownZone { get; private set; }

    public async Task LoadZoneAsync()
    {
        if (IsKnown)
        {
            return;
        }

        var id = await browser.InvokeAsync<string?>("shopConsole.zone");
        if (id is not null && TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone))
        {
            Zone = zone;
        }
        else
        {
            UnknownZone = id ?? "?";
        }

        IsKnown = true;
    }

    /// <summary>A time in the reader's zone, in ISO 8601 to the second, which is the same in every language.</summary>
    public string Show(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, Zone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    public string ShowHour(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, Zone).ToString("MM-dd HH:mm", CultureInfo.InvariantCulture);
}
