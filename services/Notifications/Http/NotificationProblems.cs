using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Http;

internal static class NotificationProblems
{
    public static ProblemHttpResult LimitReached(string what, int limit, bool canDelete = false) => Problems.Conflict(
        "limit-reached", $"There are too many {what}.", string.Create(CultureInfo.InvariantCulture, $"There may be {limit} {what}.{(canDelete ? " Delete some that are not needed." : "")}"));
}
