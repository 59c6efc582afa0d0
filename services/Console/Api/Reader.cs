using System.Globalization;
using Microsoft.JSInterop;

namespace OrderInventory.Console.Api;

/// <summary>The person at the page: their zone, in which times are shown. Asked of the browser once.</summary>
internal sealed class Reader(IJSRuntime browser)
{
    public TimeZoneInfo Zone { get; private set; } = TimeZoneInfo.Utc;

    public bool IsKnown { get; private set; }

    public async Task AskAsync()
    {
        if (IsKnown)
        {
            return;
        }

        var id = await browser.InvokeAsync<string?>("shopConsole.zone");
        Zone = id is not null && TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone : TimeZoneInfo.Utc;
        IsKnown = true;
    }

    /// <summary>A time on the reader's clock: ISO 8601 to the second, which every language reads alike.</summary>
    public string Show(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, Zone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    public string ShowHour(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, Zone).ToString("MM-dd HH:mm", CultureInfo.InvariantCulture);
}
