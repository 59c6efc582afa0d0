namespace OrderInventory.Campaign;

/// <summary>The reason why a campaign cannot run, in one sentence.</summary>
internal sealed class CampaignException(string message) : Exception(message);

/// <summary>Something that a fault needs is currently missing; the system is unchanged.</summary>
internal sealed class FaultNotDoneException(string message) : Exception(message);
