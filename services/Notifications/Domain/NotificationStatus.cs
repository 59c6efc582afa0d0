namespace OrderInventory.Notifications.Domain;

/// <summary>The status of a notification.</summary>
public enum NotificationStatus
{
    /// <summary>Not sent yet: it waits for its turn, or for its next attempt.</summary>
    Pending,

    /// <summary>The channel has accepted it.</summary>
    Sent,

    /// <summary>Given up; <c>lastError</c> says why. It can be sent again.</summary>
    Failed,
}

/// <summary>The channel of a notification.</summary>
public enum NotificationChannel
{
    /// <summary>E-mail.</summary>
    Email,

    /// <summary>Text message.</summary>
    Sms,

    /// <summary>Signed HTTP request.</summary>
    Webhook,
}
