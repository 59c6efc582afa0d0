using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Domain;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Http;

internal static class NotificationProblems
{
    public static ProblemHttpResult LimitReached(string what, int limit, bool canDelete = false) => Problems.Conflict(
        "limit-reached", $"The maximum number of {what} has been reached.",
        string.Create(CultureInfo.InvariantCulture, $"At most {limit} {what} are allowed.{(canDelete ? " Delete some that are not needed." : "")}"));

    /// <summary>What is wrong with a template's name in a filter of notifications; null when there is such a template.</summary>
    public static string? FindWrong(string template) => Templates.All.Contains(template) || template == WebhookRecorder.Template
        ? null
        : $"One of these values is required: {string.Join(", ", Templates.All)}, {WebhookRecorder.Template}.";
}
