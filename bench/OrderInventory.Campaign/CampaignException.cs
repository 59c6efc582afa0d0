namespace OrderInventory.Campaign;

/// <summary>What keeps a campaign from being run, in one sentence.</summary>
internal sealed class CampaignException(string message) : Exception(message);

/// <summary>What a fault needs is not there just now, and the system is as it was.</summary>
internal sealed class FaultNotDoneException(string message) : Exception(message);
